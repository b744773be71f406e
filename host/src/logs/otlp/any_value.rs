//! OTLP values and attributes.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use serde_json::{Map, Value as Json};

/// An attribute with a value.
pub(super) fn attribute(key: impl Into<String>, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// An attribute with a text.
pub(super) fn text_attribute(key: impl Into<String>, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

/// A JSON object as an OTLP map.
pub(super) fn map(object: &Map<String, Json>) -> Value {
    let values = object.iter().map(|(key, value)| KeyValue {
        key: key.clone(),
        value: Some(any_value(value)),
        ..KeyValue::default()
    });
    Value::KvlistValue(KeyValueList {
        values: values.collect(),
    })
}

/// The recursion is bounded: the parser of structured entries limits the depth.
fn any_value(json: &Json) -> AnyValue {
    let value = match json {
        Json::Null => None,
        Json::Bool(value) => Some(Value::BoolValue(*value)),
        Json::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::IntValue(integer),
            (None, Some(double)) => Value::DoubleValue(double),
            (None, None) => Value::StringValue(number.to_string()),
        }),
        Json::String(text) => Some(Value::StringValue(text.clone())),
        Json::Array(values) => Some(Value::ArrayValue(ArrayValue {
            values: values.iter().map(any_value).collect(),
        })),
        Json::Object(object) => Some(map(object)),
    };
    AnyValue { value }
}
