use serde::{Deserialize, Serialize};

use super::full_name;

/// The name of a function: a letter, then letters, digits, `_` and `-`, not ending in `_` or `-`; at most 63 characters,
/// as Cloud Functions has it.
///
/// Its characters need no escape in a path, so a function has one address and no other.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$"))]
pub struct FunctionName(String);

/// A text is no function name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a function name; expected a letter, then up to 62 letters, digits, `_` or `-`, the last one a letter or a \
     digit"
)]
pub struct NameError(String);

/// The longest name, in bytes.
const LONGEST: usize = 63;

full_name::name!(FunctionName, NameError, "functions", is_valid);

fn is_valid(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= LONGEST
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_cloud_functions() {
        for name in ["a", "hello_world", "Hello-2", &"x".repeat(63)] {
            assert_eq!(name.parse::<FunctionName>().unwrap().as_str(), name);
        }
        let full = "projects/p/locations/us-central1/functions/f";
        assert_eq!(full.parse::<FunctionName>().unwrap().as_str(), "f");
        assert!(FunctionName::try_from(full.to_owned()).is_err());
        for text in [
            "",
            "1a",
            "_a",
            "a-",
            "a_",
            "a b",
            "a/b",
            "a.b",
            "ä",
            "a%2f",
            &"x".repeat(64),
        ] {
            assert!(text.parse::<FunctionName>().is_err(), "{text}");
        }
    }
}
