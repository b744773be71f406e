//! Google's full names, which say in which project and location a thing is. A host has one of each, whatever they are called.

/// The last part of `projects/PROJECT/locations/LOCATION/COLLECTION/NAME`.
pub(crate) fn last_of_full_name<'a>(text: &'a str, collection: &str) -> Option<&'a str> {
    let parts: Vec<_> = text.split('/').collect();
    match parts[..] {
        ["projects", project, "locations", location, of, name]
            if of == collection && !project.is_empty() && !location.is_empty() =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// Reads and writes the type `$name`: from a text that is `$is_valid`, or that ends in one as the full name of one of
/// `$collection`. In a record it is never a full name.
macro_rules! name {
    ($name:ident, $error:ident, $collection:literal, $is_valid:expr) => {
        impl $error {
            fn new(text: &str) -> Self {
                Self(text.chars().filter(|c| !c.is_control()).take(80).collect())
            }
        }

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            /// Reads the name, or Google's full name: `projects/PROJECT/locations/LOCATION/COLLECTION/NAME`.
            fn from_str(text: &str) -> Result<Self, $error> {
                let text = $crate::store::last_of_full_name(text, $collection).unwrap_or(text);
                match $is_valid(text) {
                    true => Ok(Self(text.to_owned())),
                    false => Err($error::new(text)),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                match text.contains('/') {
                    true => Err($error::new(&text)),
                    false => text.parse(),
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

pub(super) use name;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_ends_in_the_name() {
        let of = |text| last_of_full_name(text, "jobs");
        assert_eq!(of("projects/p/locations/l/jobs/j"), Some("j"));
        for other in [
            "j",
            "projects/p/locations/l/functions/j",
            "projects//locations/l/jobs/j",
            "projects/p/locations/l/jobs/j/k",
            "/projects/p/locations/l/jobs/j",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
