//! The filters that lists of functions and runtimes take: `environment="GEN_2"`, `name=wasi AND environment=GEN_1`.
//!
//! A small part of AIP-160, which is all that Google's clients send here.

use crate::api::Status;

/// What is asked of the items of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter(Vec<(String, String)>);

/// The most terms of a filter.
const MOST_TERMS: usize = 10;

impl Filter {
    /// Reads `text`, in which only `fields` may be named.
    ///
    /// # Errors
    /// If it is something else than terms like `FIELD=VALUE` with AND between them, or there are too many.
    pub(super) fn read(text: Option<&str>, fields: &[&str]) -> Result<Self, Status> {
        let text = text.unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let terms: Option<Vec<_>> = text.split(" AND ").map(|part| term(part, fields)).collect();
        match terms {
            Some(terms) if terms.len() <= MOST_TERMS => Ok(Self(terms)),
            _ => Err(Status::invalid(format!(
                "the filter cannot be read; expected up to {MOST_TERMS} terms like FIELD=VALUE with AND between them, where FIELD \
                 is one of {}",
                fields.join(", ")
            ))),
        }
    }

    /// Whether an item whose field `field` is `value` may be meant.
    pub(super) fn takes(&self, field: &str, value: &str) -> bool {
        let mut terms = self.0.iter().filter(|(name, _)| name == field);
        terms.all(|(_, wanted)| wanted == value)
    }
}

fn term(text: &str, fields: &[&str]) -> Option<(String, String)> {
    let (field, value) = text.split_once('=')?;
    let (field, value) = (field.trim(), value.trim());
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let value = quoted.unwrap_or(value);
    let is_plain = !value.is_empty() && !value.contains(['"', '\\', '=', ' ', '(', ')']);
    (is_plain && fields.contains(&field)).then(|| (field.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Filter, Status> {
        Filter::read(Some(text), &["name", "environment"])
    }

    #[test]
    fn the_filters_of_gcloud_are_read() {
        let filter = read("environment=\"GEN_2\"").unwrap();
        assert!(filter.takes("environment", "GEN_2") && !filter.takes("environment", "GEN_1"));
        let filter = read("name=wasi AND environment=GEN_1").unwrap();
        assert!(filter.takes("name", "wasi") && filter.takes("environment", "GEN_1"));
        assert!(!filter.takes("name", "python312"));
        assert_eq!(read(" "), Ok(Filter::default()));
        assert!(Filter::default().takes("name", "x"));
    }

    #[test]
    fn other_filters_are_refused() {
        let many = ["name=a"; MOST_TERMS + 1].join(" AND ");
        for text in [
            "name",
            "name=",
            "other=a",
            "name=a OR name=b",
            "name!=a",
            "(name=a)",
            &*many,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&["name=a"; MOST_TERMS].join(" AND ")).is_ok());
    }
}
