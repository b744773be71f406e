//! JSON objects, read so that two readers cannot see two things in them.
//!
//! A member given twice, at any depth, is an error (RFC 7515, section 4; RFC 7519, section 4 leave that to the reader).
//! So are bytes that are not UTF-8, anything after the object, and nesting beyond a bound. The size is bounded by the
//! caller, before.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::shown::Shown;

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// Objects and lists may stand within each other this deep, the outermost counted. The deepest token of the issuers
/// known, Kubernetes' with its nested objects, has three.
const DEPTH: usize = 32;

/// Why bytes are not a JSON object that can be relied upon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not JSON, or something stands after it.
    #[error("it is not JSON at line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// Nested too deep.
    #[error("it is nested deeper than {DEPTH} levels")]
    TooDeep,
    /// Too many values.
    #[error("it has more than {0} values")]
    TooMany(usize),
    /// A member stands in an object twice.
    #[error("the member {0} is given twice")]
    Duplicate(Shown),
    /// JSON, but no object.
    #[error("it is {0} and not an object")]
    NotAnObject(&'static str),
}

/// Reads an object with at most `most` values, those within its values counted: a value takes longer to read than its
/// bytes would let one think.
pub(crate) fn read_object(bytes: &[u8], most: usize) -> Result<Object, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
    let (fault, values) = (Cell::new(None), Cell::new(0));
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Strict {
        depth: DEPTH,
        most,
        values: &values,
        fault: &fault,
    };
    let value = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(JsonError::NotAnObject(kind(&other))),
        Err(error) => Err(fault.take().unwrap_or(JsonError::Syntax {
            line: error.line(),
            column: error.column(),
        })),
    }
}

/// What `value` is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Reads one value. Its own faults go into a cell, since the reader's error type has only text.
#[derive(Clone, Copy)]
struct Strict<'a> {
    /// Levels that are left.
    depth: usize,
    most: usize,
    /// Values so far, the outermost not counted.
    values: &'a Cell<usize>,
    fault: &'a Cell<Option<JsonError>>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(self.fail(JsonError::TooDeep));
        };
        Ok(Self { depth, ..self })
    }

    /// Counts a value that is about to be read.
    fn count<E: Error>(self) -> Result<(), E> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > self.most {
            return Err(self.fail(JsonError::TooMany(self.most)));
        }
        Ok(())
    }

    fn fail<E: Error>(self, fault: JsonError) -> E {
        let error = E::custom(&fault);
        self.fault.set(Some(fault));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inner)? {
            self.count()?;
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            match object.entry(name) {
                Entry::Vacant(entry) => {
                    self.count()?;
                    entry.insert(members.next_value_seed(inner)?);
                }
                Entry::Occupied(entry) => {
                    return Err(self.fail(JsonError::Duplicate(Shown::text(entry.key()))));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MOST: usize = 1000;

    fn read(text: &str) -> Result<Object, JsonError> {
        read_object(text.as_bytes(), MOST)
    }

    #[test]
    fn an_object_is_read_whole() {
        let text = r#" {"a": [1, -2, 3.5, "x\u00e4", null, true, {}], "b": {"a": 1}} "#;
        let expected = json!({"a": [1, -2, 3.5, "xä", null, true, {}], "b": {"a": 1}});
        assert_eq!(Value::Object(read(text).unwrap()), expected);
    }

    #[test]
    fn a_member_given_twice_is_an_error_at_any_depth() {
        let twice = |name| Err(JsonError::Duplicate(Shown::text(name)));
        assert_eq!(read(r#"{"a": 1, "a": 1}"#), twice("a"));
        assert_eq!(read(r#"{"a": 1, "\u0061": 2}"#), twice("a"));
        assert_eq!(read(r#"{"a": [{"b": {"c": 1, "c": 2}}]}"#), twice("c"));
        assert!(read(r#"{"a": {"a": {"a": 1}}, "A": 1}"#).is_ok());
    }

    #[test]
    fn nesting_is_bounded_at_thirty_two_levels() {
        let nested = |levels: usize| {
            let inner = levels - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
        };
        assert!(read(&nested(32)).is_ok());
        assert_eq!(read(&nested(33)), Err(JsonError::TooDeep));
        assert_eq!(read(&nested(5_000)), Err(JsonError::TooDeep));
    }

    #[test]
    fn the_number_of_values_is_bounded_however_they_are_nested() {
        let list = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 2));
        assert!(read(&list(1000)).is_ok());
        assert_eq!(read(&list(1001)), Err(JsonError::TooMany(MOST)));
        let members = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(read(&members(1000)).is_ok());
        assert_eq!(read(&members(1001)), Err(JsonError::TooMany(MOST)));
        let pairs = format!("{{\"a\":[{}[0]]}}", "[0],".repeat(500));
        assert_eq!(read(&pairs), Err(JsonError::TooMany(MOST)));
    }

    #[test]
    fn what_is_no_object_is_named() {
        for (text, kind) in [
            ("[]", "a list"),
            ("\"a\"", "a text"),
            ("null", "null"),
            ("7", "a number"),
            ("true", "a boolean"),
        ] {
            assert_eq!(read(text), Err(JsonError::NotAnObject(kind)));
        }
    }

    #[test]
    fn bad_utf8_is_an_error_and_so_is_a_lone_surrogate() {
        assert_eq!(
            read_object(b"{\"a\":\"\xff\"}", MOST),
            Err(JsonError::NotUtf8)
        );
        let lone = read(r#"{"a":"\ud800"}"#);
        assert!(matches!(lone, Err(JsonError::Syntax { .. })), "{lone:?}");
    }

    #[test]
    fn nothing_may_stand_around_the_object_but_white_space() {
        for text in [
            "\u{feff}{}",
            "{}x",
            "{}{}",
            "{}\0",
            "",
            "{",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{\"a\":01}",
            "{\"a\":1e999}",
            "{\"a\":\"\n\"}",
        ] {
            let result = read(text);
            assert!(
                matches!(result, Err(JsonError::Syntax { .. })),
                "{text:?}: {result:?}"
            );
        }
    }
}
