//! A field of an entry, by its path.

use std::fmt;

use serde_json::{Value, json};

use super::literal::Quoted;
use super::schema::{self, Kind};

/// The path of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    path: Vec<String>,
    pub(super) kind: Kind,
}

impl Field {
    /// The field at `path`.
    ///
    /// # Errors
    /// If an entry has no such field.
    pub(super) fn new(path: Vec<String>) -> Result<Self, String> {
        match schema::find(&path) {
            Some((path, kind)) => Ok(Self { path, kind }),
            None => Err(format!(
                "`{}` is not a field of a log entry; expected one such as severity, resource.type or jsonPayload.message",
                path.join(".").escape_debug()
            )),
        }
    }

    /// Whether its path is `path`.
    pub(super) fn is(&self, path: &[&str]) -> bool {
        self.path == path
    }

    /// Whether one of its values in `entry` passes `test`. Each element of an array is a value. A field of `LogEntry`
    /// that is missing has the default of its kind; labels and fields of payloads have none.
    pub(super) fn any(&self, entry: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
        match (self.is_present(entry), self.default()) {
            (false, Some(default)) => test(&default),
            _ => any_at(entry, &self.path, test),
        }
    }

    /// Whether it has a value in `entry`.
    pub(super) fn is_present(&self, entry: &Value) -> bool {
        any_at(entry, &self.path, &|_| true)
    }

    fn default(&self) -> Option<Value> {
        match self.kind {
            Kind::Text => Some(json!("")),
            Kind::Number => Some(json!(0)),
            Kind::Boolean => Some(json!(false)),
            Kind::Severity => Some(json!("DEFAULT")),
            Kind::Duration => Some(json!("0s")),
            Kind::Time | Kind::Any | Kind::Fields => None,
        }
    }
}

fn any_at(value: &Value, path: &[String], test: &dyn Fn(&Value) -> bool) -> bool {
    match (value, path) {
        (Value::Array(elements), _) => elements.iter().any(|element| any_at(element, path, test)),
        (value, []) => test(value),
        (Value::Object(fields), [name, rest @ ..]) => fields
            .get(name)
            .is_some_and(|field| any_at(field, rest, test)),
        _ => false,
    }
}

/// Whether a segment with `c` needs no quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.path.iter().enumerate() {
            if number > 0 {
                f.write_str(".")?;
            }
            match !segment.is_empty() && segment.chars().all(is_plain) {
                true => f.write_str(segment)?,
                false => Quoted(segment).fmt(f)?,
            }
        }
        Ok(())
    }
}
