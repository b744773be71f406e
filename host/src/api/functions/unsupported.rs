//! Fields of Google's that this host cannot do what they say for. Who sets one is told so.

use serde_json::Value;

use crate::api::Status;
use crate::api::fields::Fields;

/// Fields of Cloud Functions v1, and of `serviceConfig` in v2.
pub(super) const OF_SERVICE: &[(&str, &str)] = &[
    (
        "secretEnvironmentVariables",
        "this host keeps no secrets; name files of the host with `host functions deploy --set-secrets`",
    ),
    (
        "secretVolumes",
        "this host keeps no secrets, and functions have no files; use `host functions deploy --set-secrets`",
    ),
    ("vpcConnector", NO_VPC),
    ("network", NO_VPC),
    ("directVpcNetworkInterface", NO_VPC),
];
/// Fields of a function in both versions.
pub(super) const OF_FUNCTION: &[(&str, &str)] = &[
    (
        "eventTrigger",
        "functions of this host are called over HTTP; have a job of Cloud Scheduler call it, or leave it out",
    ),
    ("kmsKeyName", "this host has no key management service"),
];

const NO_VPC: &str = "this host has no VPC networks; allow outbound calls with `host functions deploy --allow-outbound`";

/// Makes sure that none of `fields` is set.
///
/// # Errors
/// If one is, saying why it cannot be.
pub(super) fn refuse(document: Fields<'_>, fields: &[(&str, &str)]) -> Result<(), Status> {
    for (field, why) in fields {
        if document.get(field).is_some_and(|value| !is_empty(value)) {
            return Err(Status::invalid(format!(
                "the field `{field}` is set: {why}"
            )));
        }
    }
    Ok(())
}

/// Whether `value` is the one that protobuf gives a field which is not set.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// `IngressSettings` by number.
const INGRESS: [&str; 4] = [
    "INGRESS_SETTINGS_UNSPECIFIED",
    INGRESS_OF_ALL,
    "ALLOW_INTERNAL_ONLY",
    "ALLOW_INTERNAL_AND_GCLB",
];
/// The only ingress that this host has.
pub(super) const INGRESS_OF_ALL: &str = "ALLOW_ALL";

/// Makes sure that `document` wants no other ingress than this host has.
///
/// # Errors
/// If it does.
pub(super) fn check_ingress(document: Fields<'_>) -> Result<(), Status> {
    match document.name("ingressSettings", &INGRESS)? {
        None | Some(INGRESS_OF_ALL) => Ok(()),
        Some(other) => Err(Status::invalid(format!(
            "ingressSettings is {other}; this host has no internal network, only {INGRESS_OF_ALL}: restrict who may call by \
             the function's policy"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_set_is_refused_and_what_is_empty_is_not() {
        let why = &[("a", "there is none")];
        for empty in [
            json!(null),
            json!(""),
            json!([]),
            json!({}),
            json!(0),
            json!(false),
        ] {
            let document = json!({ "a": empty });
            assert_eq!(refuse(Fields::of(&document), why), Ok(()), "{document}");
        }
        let error = refuse(Fields::of(&json!({ "a": "b" })), why).unwrap_err();
        assert!(
            error.message.contains("`a` is set: there is none"),
            "{error}"
        );
    }

    #[test]
    fn there_is_no_ingress_but_from_everywhere() {
        for ingress in [json!(1), json!("ALLOW_ALL"), json!(0), json!(null)] {
            let document = json!({ "ingressSettings": ingress });
            assert_eq!(check_ingress(Fields::of(&document)), Ok(()), "{document}");
        }
        for ingress in [json!(2), json!("ALLOW_INTERNAL_AND_GCLB"), json!("X")] {
            let document = json!({ "ingressSettings": ingress });
            assert!(check_ingress(Fields::of(&document)).is_err(), "{document}");
        }
    }
}
