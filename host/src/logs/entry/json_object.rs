//! JSON objects in which no key has a special meaning.
//!
//! `serde_json` gives some private keys a meaning when it deserializes a `Value`. With untrusted input, such a key
//! could make it reject or change the object, so values are deserialized here.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON object. The last of duplicate keys counts.
#[derive(Debug)]
pub(in crate::logs) struct JsonObject(pub(in crate::logs) Map<String, Value>);

/// A JSON value of any kind.
struct Plain(Value);

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = JsonObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<JsonObject, A::Error> {
                map(fields).map(JsonObject)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Plain(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Value, A::Error> {
        map(fields).map(Value::Object)
    }
}

fn map<'de, A: MapAccess<'de>>(mut fields: A) -> Result<Map<String, Value>, A::Error> {
    let mut map = Map::new();
    while let Some((key, Plain(value))) = fields.next_entry()? {
        map.insert(key, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Map<String, Value>> {
        serde_json::from_str::<JsonObject>(text).ok().map(|it| it.0)
    }

    #[test]
    fn values_of_every_kind_are_read_as_they_are() {
        let text = r#"{"a":[null,true,-7,18446744073709551615,1.5,"ü\n",[],{}],"b":{"c":"d"}}"#;
        let object = read(text).unwrap();
        assert_eq!(serde_json::to_string(&object).unwrap(), text);
        assert_eq!(read(r#"{"a":1,"a":2}"#).unwrap()["a"], 2);
    }

    #[test]
    fn what_is_no_object_is_none() {
        let deep = format!(
            "{}{}",
            "{\"a\":".repeat(200),
            "1".to_owned() + &"}".repeat(200)
        );
        for text in ["", "7", "[{}]", "{", "{} {}", "{\"a\":1e999}", &deep] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_key_has_a_meaning() {
        for text in [
            r#"{"$serde_json::private::RawValue":"{\"a\":1}"}"#,
            r#"{"a":{"$serde_json::private::RawValue":"{\"a\":1}"}}"#,
            r#"{"a":{"$serde_json::private::RawValue":5}}"#,
            r#"{"a":[{"$serde_json::private::Number":"1","b":2}]}"#,
        ] {
            let object = read(text).unwrap();
            assert_eq!(serde_json::to_string(&object).unwrap(), text);
        }
        let escaped = read(r#"{"a":{"\u0024serde_json::private::RawValue":5}}"#).unwrap();
        assert_eq!(object_key(&escaped), "$serde_json::private::RawValue");
    }

    fn object_key(object: &Map<String, Value>) -> &str {
        let inner = object["a"].as_object().unwrap();
        inner.keys().next().unwrap()
    }
}
