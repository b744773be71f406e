//! Names of interfaces, such as `wasi:io/poll@0.2.6`, and which versions of one link with each other.

/// The name of an interface, in its parts.
///
/// ```
/// use host_sandbox::inspection::InterfaceName;
///
/// let name = InterfaceName::parse("wasi:io/poll@0.2.6").expect("it names an interface");
/// assert_eq!((name.package, name.interface), ("wasi:io", "poll"));
/// assert!(name.links_with("0.2.0") && !name.links_with("0.3.0"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceName<'a> {
    /// Its package, such as `wasi:io`.
    pub package: &'a str,
    /// Its own name, such as `poll`.
    pub interface: &'a str,
    /// Its version, such as `0.2.6`. Packages of old have none.
    pub version: Option<&'a str>,
}

impl<'a> InterfaceName<'a> {
    /// Reads `name`; `None` if it is the name of something else, such as a function.
    pub fn parse(name: &'a str) -> Option<Self> {
        let (path, version) = match name.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (name, None),
        };
        let (package, interface) = path.split_once('/')?;
        Some(Self {
            package,
            interface,
            version,
        })
    }

    /// Whether `version` of the same interface serves in its place.
    ///
    /// A release links with every other one that is compatible by semantic versioning, as 0.2.0 with 0.2.12; a draft or a
    /// release candidate links with itself alone, and so does a name without a version, with an empty one.
    pub fn links_with(&self, version: &str) -> bool {
        let own = self.version.unwrap_or_default();
        own == version || compatible(own).is_some_and(|line| compatible(version) == Some(line))
    }

    /// Whether it is of a draft or a release candidate.
    pub fn is_prerelease(&self) -> bool {
        self.version.is_some_and(|version| version.contains('-'))
    }
}

/// What a release has in common with those that are compatible with it; `None` for what is no release.
fn compatible(version: &str) -> Option<[u64; 3]> {
    let mut numbers = version.split('.').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    let release: [u64; 3] = [numbers.next()??, numbers.next()??, numbers.next()??];
    if numbers.next().is_some() {
        return None;
    }
    Some(match release {
        [0, 0, patch] => [0, 0, patch],
        [0, minor, _] => [0, minor, 0],
        [major, ..] => [major, 0, 0],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(wanted: &str, with: &str) -> bool {
        let name = format!("wasi:io/poll@{wanted}");
        InterfaceName::parse(&name)
            .expect("it is a name")
            .links_with(with)
    }

    #[test]
    fn a_name_has_a_package_an_interface_and_perhaps_a_version() {
        let name = InterfaceName::parse("wasi:io/poll@0.2.6").expect("it is a name");
        assert_eq!(
            (name.package, name.interface, name.version),
            ("wasi:io", "poll", Some("0.2.6"))
        );
        let name = InterfaceName::parse("fermyon:spin/redis").expect("it is a name");
        assert_eq!((name.interface, name.version), ("redis", None));
        assert_eq!(InterfaceName::parse("handle"), None);
    }

    #[test]
    fn releases_link_with_those_that_are_compatible() {
        assert!(links("0.2.0", "0.2.12") && links("0.2.12", "0.2.0") && links("2.1.0", "2.0.0"));
        for (wanted, with) in [
            ("0.2.0", "0.3.0"),
            ("1.0.0", "2.0.0"),
            ("0.0.1", "0.0.2"),
            ("0.2", "0.2.0"),
            ("0.2.0.1", "0.2.0"),
            ("0.2.x", "0.2.0"),
            ("0.2.+1", "0.2.0"),
            ("", "0.2.0"),
        ] {
            assert!(!links(wanted, with), "{wanted} {with}");
        }
    }

    #[test]
    fn drafts_and_candidates_link_with_themselves_alone() {
        assert!(links("0.2.0-draft", "0.2.0-draft"));
        for (wanted, with) in [
            ("0.2.0-draft", "0.2.0-draft2"),
            ("0.2.0-rc.1", "0.2.0"),
            ("0.3.0", "0.3.0-rc-2026-03-15"),
        ] {
            assert!(!links(wanted, with), "{wanted} {with}");
        }
    }
}
