//! The values of an entry that have no fields of their own.

use std::borrow::Cow;

use serde_json::Value;

/// Whether `is_match` accepts the text of one of the values in `value`.
pub(super) fn any(value: &Value, is_match: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| any(value, is_match)),
        Value::Object(fields) => fields.values().any(|value| any(value, is_match)),
        Value::Null => false,
        leaf => is_match(&plain(leaf)),
    }
}

/// Whether one of the values in `value` contains `lower`, a text in lower case, whatever the case.
pub(super) fn any_contains(value: &Value, lower: &str) -> bool {
    any(value, &mut |text| contains(text, lower))
}

/// Whether `text` contains `lower`, a text in lower case, whatever the case.
pub(super) fn contains(text: &str, lower: &str) -> bool {
    text.to_lowercase().contains(lower)
}

/// A value as text, without quotes.
pub(super) fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
