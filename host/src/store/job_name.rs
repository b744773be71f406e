use serde::{Deserialize, Serialize};

use super::full_name;

/// The name of a job: 1 to 500 letters, digits, `_` and `-`, as Cloud Scheduler has it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z0-9_-]{1,500}$"))]
pub struct JobName(String);

/// A text is no job name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a job name; expected 1 to {LONGEST} letters, digits, `_` or `-`")]
pub struct JobNameError(String);

/// The longest name, in bytes.
const LONGEST: usize = 500;

full_name::name!(JobName, JobNameError, "jobs", is_valid);

fn is_valid(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_cloud_scheduler() {
        for name in ["a", "my-hourly-job", "_-_", "0", &"x".repeat(500)] {
            assert_eq!(name.parse::<JobName>().unwrap().as_str(), name);
        }
        let full = "projects/p/locations/us-central1/jobs/j";
        assert_eq!(full.parse::<JobName>().unwrap().as_str(), "j");
        assert!(JobName::try_from(full.to_owned()).is_err());
        for text in ["", "a b", "a/b", "a.b", "ä", "a\n", &"x".repeat(501)] {
            assert!(text.parse::<JobName>().is_err(), "{text}");
        }
    }
}
