//! Keys as issuers publish them, and as they should not.

use serde_json::Value;

/// The members of `change` in place of those of `jwk`; null leaves one out.
pub fn changed(mut jwk: Value, change: Value) -> Value {
    for (name, value) in change.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(jwk.as_object_mut().and_then(|jwk| jwk.remove(name))),
            value => jwk[name] = value.clone(),
        }
    }
    jwk
}
