//! The keys of the host's own issuer.

use std::time::{Duration, SystemTime};

use host_tokens::{Phase, SigningAlgorithm, SigningAlgorithmError};
use serde_json::{Value, json};

use super::fields::Fields;
use super::methods::Method;
use super::own_issuer::failed;
use super::{Api, Reply, Request, Status};
use crate::identity::{OwnIssuer, key_times};

/// The methods of keys.
pub(super) const METHODS: &[Method] = &[
    Method::reads(
        "host.v1.Keys.ListKeys",
        "GET",
        "/host/v1/keys",
        "host.keys.list",
        list,
    ),
    Method::changes(
        "host.v1.Keys.RotateKeys",
        "POST",
        "/host/v1/keys:rotate",
        "host.keys.rotate",
        rotate,
    ),
];

fn list(api: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    Ok(json!({ "keys": keys(api)? }).into())
}

/// Begins a rotation, or goes on with one. `atOnce` has the next key sign whether or not others can know it.
fn rotate(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let fields = Fields::of(&body);
    let algorithm = fields.text("algorithm")?;
    let algorithm = algorithm.map(|name| name.parse::<SigningAlgorithm>());
    let algorithm = algorithm
        .transpose()
        .map_err(|error: SigningAlgorithmError| Status::invalid(error.to_string()))?;
    let at_once = fields.boolean("atOnce")?.unwrap_or_default();
    let issuer = OwnIssuer::of(api.store(), algorithm).map_err(failed)?;
    if algorithm.is_some() {
        issuer.forget_other_next_key(api.store())?;
    }
    let rotated = issuer.rotate(api.store(), at_once, SystemTime::now());
    let rotated = rotated.map_err(failed)?;
    api.enforce_identity()?;
    Ok(json!({ "rotated": rotated, "keys": keys(api)? }).into())
}

fn keys(api: &Api) -> Result<Vec<Value>, Status> {
    let keys = api.store().signing_keys()?;
    let phases = key_times(&keys)
        .into_iter()
        .map(|record| match record.phase() {
            Phase::Next => "NEXT",
            Phase::Current => "CURRENT",
            Phase::Previous => "PREVIOUS",
        });
    let shown = keys.iter().zip(phases).map(|(key, phase)| {
        json!({
            "keyId": key.id,
            "algorithm": key.algorithm,
            "state": phase,
            "publishTime": time(key.published),
            "signTime": key.signing.map(time),
            "retireTime": key.retired.map(time),
        })
    });
    Ok(shown.collect())
}

fn time(seconds: i64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs());
    jiff::Timestamp::try_from(time).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Code;
    use crate::api::test_support::Scratch;
    use crate::store::PolicyOf;

    const LIST: &str = "GET /host/v1/keys";
    const ROTATE: &str = "POST /host/v1/keys:rotate";

    fn states(answer: &Value) -> Vec<&str> {
        let keys = answer["keys"].as_array().unwrap().iter();
        let mut states: Vec<_> = keys.map(|key| key["state"].as_str().unwrap()).collect();
        states.sort_unstable();
        states
    }

    #[test]
    fn keys_are_listed_without_their_private_halves_and_rotate() {
        let scratch = Scratch::new();
        let body = json!({ "algorithm": "ES256", "atOnce": true });
        for expected in [&["CURRENT"][..], &["CURRENT", "PREVIOUS"]] {
            let rotated = scratch.owner(ROTATE, body.clone()).unwrap();
            assert_eq!(
                (&rotated["rotated"], states(&rotated)),
                (&json!(true), expected.to_vec())
            );
        }
        let listed = scratch.owner(LIST, json!({})).unwrap();
        assert_eq!(states(&listed), ["CURRENT", "PREVIOUS"]);
        let key = listed["keys"][0].as_object().unwrap();
        let fields: Vec<_> = key.keys().map(String::as_str).collect();
        let shown = [
            "algorithm",
            "keyId",
            "publishTime",
            "retireTime",
            "signTime",
            "state",
        ];
        assert!(
            fields.iter().all(|field| shown.contains(field)),
            "{fields:?}"
        );
        let body = json!({ "algorithm": "ES256" });
        scratch.owner(ROTATE, body.clone()).unwrap();
        let waiting = scratch.owner(ROTATE, body).unwrap();
        assert_eq!(waiting["rotated"], false);
    }

    #[test]
    fn no_more_keys_are_made_than_others_read_and_no_other_kinds() {
        let scratch = Scratch::new();
        let rotate = |algorithm| {
            let body = json!({ "algorithm": algorithm, "atOnce": true });
            scratch.owner(ROTATE, body).map(drop)
        };
        let unknown = rotate("none").unwrap_err();
        assert_eq!(unknown.code, Code::InvalidArgument);
        let refused = (0..100).find_map(|_| rotate("ES256").err()).unwrap();
        assert_eq!(refused.code, Code::ResourceExhausted);
        assert!(refused.message.contains("keys are published"), "{refused}");
    }

    #[test]
    fn an_editor_sees_the_keys_and_does_not_rotate_them() {
        let scratch = Scratch::new();
        assert!(scratch.user(LIST, json!({})).unwrap_err().is_denied());
        scratch.grant("roles/editor", &PolicyOf::Project);
        assert!(scratch.user(LIST, json!({})).is_ok());
        assert!(scratch.user(ROTATE, json!({})).unwrap_err().is_denied());
    }
}
