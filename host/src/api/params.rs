//! The paths of methods, and the names in them.

use percent_encoding::percent_decode_str;

use super::Status;
use super::status::Code;
use crate::store::Project;

/// The longest path, in bytes.
const LONGEST: usize = 4096;

/// What stands behind the name of a name that may have slashes, which are encoded.
const SLASHES: &str = "=**";

/// The names in a path, by what they name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The names in `text`, if it is like `pattern`, such as `projects/{project}`.
    pub(crate) fn of(pattern: &'static str, text: &str) -> Option<Self> {
        matched(pattern, text)
    }

    /// The names that are there.
    pub(crate) fn named<'a>(
        names: impl IntoIterator<Item = (&'static str, &'a Option<String>)>,
    ) -> Self {
        let names = names.into_iter();
        Self(
            names
                .filter_map(|(what, name)| Some((what, name.clone()?)))
                .collect(),
        )
    }

    /// The name of the `what`; empty if the path has none.
    pub(crate) fn get(&self, what: &str) -> &str {
        self.find(what).unwrap_or_default()
    }

    /// The name of the `what`, if the path has one.
    pub(crate) fn find(&self, what: &str) -> Option<&str> {
        let mut names = self.0.iter();
        let name = names.find(|(other, _)| *other == what);
        name.map(|(_, name)| name.as_str())
    }

    /// With `name` in place of that of the `what`.
    #[must_use]
    pub(crate) fn with(mut self, what: &str, name: String) -> Self {
        if let Some((_, old)) = self.0.iter_mut().find(|(other, _)| *other == what) {
            *old = name;
        }
        self
    }

    /// Makes sure that the path names this host's project and location, where it names any. `-` stands for every one.
    ///
    /// # Errors
    /// If it names others.
    pub(crate) fn check(&self, project: &Project) -> Result<(), Status> {
        let own = [("project", &project.id), ("location", &project.location)];
        for (what, own) in own {
            if let Some(found) = self.find(what)
                && found != own
                && found != "-"
            {
                return Err(Status::new(
                    Code::NotFound,
                    format!("this host has the {what} `{own}`, and not `{found}`; name that one, or serve with --{what} {found}"),
                )
                .with("expected", own.clone()));
            }
        }
        Ok(())
    }
}

/// The names in `path` if it is like `pattern`, such as `/v1/projects/{project}/locations/{location}/jobs/{job}:pause`.
///
/// A name in the pattern stands for a whole part of the path, up to the verb behind its last colon.
pub(crate) fn matched(pattern: &'static str, path: &str) -> Option<Params> {
    if path.len() > LONGEST {
        return None;
    }
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    let mut names = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(Params(names)),
            (Some(wanted), Some(found)) => part(wanted, found, &mut names)?,
            _ => return None,
        }
    }
}

fn part(wanted: &'static str, raw: &str, names: &mut Vec<(&'static str, String)>) -> Option<()> {
    let found = percent_decode_str(raw).decode_utf8().ok()?;
    let Some(inner) = wanted.strip_prefix('{') else {
        return (wanted == found).then_some(());
    };
    let (what, verb) = inner.split_once('}')?;
    let (what, may_have_slashes) = match what.strip_suffix(SLASHES) {
        Some(what) => (what, true),
        None => (what, false),
    };
    let name = match verb.is_empty() {
        // This is the verb of another method. A colon in a name is encoded.
        true if raw.contains(':') => return None,
        true => &*found,
        false => found
            .strip_suffix(verb)
            .filter(|name| !name.contains(':'))?,
    };
    if name.is_empty() || !may_have_slashes && name.contains('/') {
        return None;
    }
    names.push((what, name.to_owned()));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: &str = "/v1/projects/{project}/locations/{location}/jobs/{job}:pause";
    const ACCOUNT: &str = "/v1/projects/{project}/serviceAccounts/{account}";

    #[test]
    fn names_are_taken_from_a_path_that_is_like_the_pattern() {
        let params = matched(PAUSE, "/v1/projects/p/locations/l/jobs/j:pause").unwrap();
        assert_eq!(params.get("project"), "p");
        assert_eq!(params.get("job"), "j");
        for account in [
            "a@p.iam.gserviceaccount.com",
            "a%40p.iam.gserviceaccount.com",
        ] {
            let path = format!("/v1/projects/-/serviceAccounts/{account}");
            let params = matched(ACCOUNT, &path).unwrap();
            assert_eq!(params.get("account"), "a@p.iam.gserviceaccount.com");
        }
    }

    #[test]
    fn a_colon_in_a_name_is_encoded() {
        const RUN: &str = "/host/v1/runs/{run}";
        let params = matched(RUN, "/host/v1/runs/2026-11-23T14%3A00%3A00Z").unwrap();
        assert_eq!(params.get("run"), "2026-11-23T14:00:00Z");
        assert_eq!(matched(RUN, "/host/v1/runs/2026-11-23T14:00:00Z"), None);
    }

    #[test]
    fn a_name_has_encoded_slashes_where_the_pattern_says_so() {
        const ENTRIES: &str = "/host/v1/buckets/{bucket=**}/entries";
        let params = matched(ENTRIES, "/host/v1/buckets/a%2Fb/entries").unwrap();
        assert_eq!(params.get("bucket"), "a/b");
        for other in ["/host/v1/buckets/a/b/entries", "/host/v1/buckets//entries"] {
            assert_eq!(matched(ENTRIES, other), None, "{other}");
        }
    }

    #[test]
    fn other_paths_are_not_like_it() {
        for path in [
            "/v1/projects/p/locations/l/jobs/j",
            "/v1/projects/p/locations/l/jobs/j:resume",
            "/v1/projects/p/locations/l/jobs/:pause",
            "/v1/projects/p/locations/l/jobs/a%2Fb:pause",
            "/v1/projects/p/locations/l/jobs/a%3Ab:pause",
            "/v1/projects/p/locations/l/jobs/j:pause/",
            "/v1/projects//locations/l/jobs/j:pause",
            "/v1/projects/p/locations/l/jobs/%ff:pause",
        ] {
            assert_eq!(matched(PAUSE, path), None, "{path}");
        }
        assert_eq!(
            matched(ACCOUNT, "/v1/projects/p/serviceAccounts/a:disable"),
            None
        );
        let long = format!("/v1/projects/p/serviceAccounts/{}", "a".repeat(LONGEST));
        assert_eq!(matched(ACCOUNT, &long), None);
    }

    #[test]
    fn another_project_or_location_is_refused_by_name() {
        let project = Project::default();
        let check = |path| matched(PAUSE, path).unwrap().check(&project);
        assert_eq!(
            check("/v1/projects/local/locations/local/jobs/j:pause"),
            Ok(())
        );
        assert_eq!(check("/v1/projects/-/locations/-/jobs/j:pause"), Ok(()));
        let error = check("/v1/projects/other/locations/local/jobs/j:pause").unwrap_err();
        assert!(
            error.message.contains("`local`, and not `other`"),
            "{error}"
        );
    }
}
