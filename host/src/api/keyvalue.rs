//! What functions keep by `wasi:keyvalue`: the entries of their buckets.
//!
//! A bucket is named by the function, or by the component that was served by that name; with `shared=true`, it is one that
//! functions share. A key may have any character, so it stands in the query or in the body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fields::Fields;
use super::methods::Method;
use super::{Api, Code, Reply, Request, Status};
use crate::config::values::bucket_name;
use crate::store::{BucketName, EntryRecord, Quota, StoreError};

/// The methods of buckets.
pub(super) const METHODS: &[Method] = &[
    Method::reads(
        "host.v1.KeyValue.ListEntries",
        "GET",
        "/host/v1/buckets/{bucket=**}/entries",
        "host.keyvalue.list",
        list,
    ),
    Method::reads(
        "host.v1.KeyValue.GetEntry",
        "GET",
        "/host/v1/buckets/{bucket=**}/entry",
        "host.keyvalue.get",
        get,
    ),
    Method::changes(
        "host.v1.KeyValue.SetEntry",
        "PUT",
        "/host/v1/buckets/{bucket=**}/entry",
        "host.keyvalue.update",
        set,
    ),
    Method::changes(
        "host.v1.KeyValue.DeleteEntries",
        "POST",
        "/host/v1/buckets/{bucket=**}/entries:delete",
        "host.keyvalue.update",
        delete,
    ),
];

/// The keys and sizes, in the order in which they came. With a `key` in the query, that one alone.
fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let bucket = find(api, request)?;
    if let Some(key) = request.query.get("key") {
        let bytes = value(api, request, &bucket, key)?.len();
        return Ok(json!({ "entries": [{ "key": key, "bytes": bytes }] }).into());
    }
    let page = request.page()?;
    let after = page.after().map_or(Ok(0), str::parse);
    let after =
        after.map_err(|_| Status::invalid("pageToken is not one that a list of this host gave"))?;
    let entries = api
        .store()
        .read_keyvalue(|ledger| ledger.entries(&bucket, after, page.size() + 1))?;
    let entries = entries.map_err(StoreError::from)?;
    let (entries, next) = page.of(entries, |entry| format!("{:020}", entry.number));
    let entries: Vec<Value> = entries.iter().map(shown).collect();
    let mut answer = json!({ "entries": entries });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let bucket = find(api, request)?;
    let key = key(request)?;
    let value = value(api, request, &bucket, key)?;
    Ok(json!({ "key": key, "value": STANDARD.encode(value) }).into())
}

/// The quotas of functions do not bind this. A shared bucket that is not there is made.
fn set(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = request.params.get("bucket");
    let bucket = match is_shared(request) {
        true => BucketName::Shared(bucket_name(name).map_err(Status::invalid)?),
        false => api.store().own_bucket(name)?,
    };
    let value = Fields::of(&request.json()?).bytes("value")?;
    let value = value.ok_or_else(|| Status::invalid("the body has no `value`"))?;
    let entry = (key(request)?.to_owned(), value);
    let answer = json!({ "key": entry.0, "bytes": entry.1.len() });
    let set = api
        .store()
        .write_keyvalue(|ledger| ledger.set(&bucket, &[entry], Quota::UNLIMITED))?;
    set.map_err(StoreError::from)?;
    Ok(answer.into())
}

/// Deletes `keys`, or with `all` every key. One that is not there is no error.
fn delete(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let bucket = find(api, request)?;
    let body = request.json()?;
    let fields = Fields::of(&body);
    let (keys, is_all) = (fields.list("keys")?, fields.boolean("all")?);
    let is_all = is_all.unwrap_or_default();
    if is_all != keys.is_empty() {
        return Err(Status::invalid(
            "the body has neither `keys` nor `all`, or both; expected one of them",
        ));
    }
    let deleted = api.store().write_keyvalue(|ledger| match is_all {
        true => ledger.clear(&bucket),
        false => ledger.delete(&bucket, &keys),
    })?;
    let deleted = deleted.map_err(StoreError::from)?;
    Ok(json!({ "deleted": deleted }).into())
}

/// The bucket in the path, which is there.
fn find(api: &Api, request: &Request<'_>) -> Result<BucketName, Status> {
    let name = request.params.get("bucket");
    Ok(match is_shared(request) {
        true => api.store().shared_bucket(name)?,
        false => api.store().own_bucket(name)?,
    })
}

fn is_shared(request: &Request<'_>) -> bool {
    request.query.get("shared") == Some("true")
}

fn key<'a>(request: &'a Request<'_>) -> Result<&'a str, Status> {
    let key = request.query.get("key");
    key.ok_or_else(|| Status::invalid("the query has no `key`"))
}

fn value(
    api: &Api,
    request: &Request<'_>,
    bucket: &BucketName,
    key: &str,
) -> Result<Vec<u8>, Status> {
    let found = api
        .store()
        .read_keyvalue(|ledger| ledger.read(bucket, key))?;
    let found = found.map_err(StoreError::from)?;
    let name = request.params.get("bucket");
    found.map(|(_, value)| value).ok_or_else(|| {
        let message = format!("there is no key `{key}` in the bucket [{name}]");
        Status::new(Code::NotFound, message)
    })
}

fn shown(entry: &EntryRecord) -> Value {
    json!({ "key": entry.key, "bytes": entry.bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::test_support::Scratch;
    use crate::store::{LARGEST_VALUE, PAGE, PolicyOf};

    const OURS: &str = "/host/v1/buckets/ours";

    fn set(scratch: &Scratch, key: &str, value: &[u8]) -> Result<Value, Status> {
        let value = STANDARD.encode(value);
        let method = format!("PUT {OURS}/entry?shared=true&key={key}");
        scratch.owner(&method, json!({ "value": value }))
    }

    fn keys(page: &Value) -> Vec<&str> {
        let entries = page["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["key"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn a_value_of_any_bytes_is_set_under_a_key_of_any_characters() {
        let scratch = Scratch::new();
        let answer = set(&scratch, "a%2F%3A%20%26b", b"\0\xff").unwrap();
        assert_eq!(answer, json!({ "key": "a/: &b", "bytes": 2 }));
        let method = format!("GET {OURS}/entry?shared=true&key=a%2F%3A%20%26b");
        let answer = scratch.owner(&method, json!({})).unwrap();
        assert_eq!(answer, json!({ "key": "a/: &b", "value": "AP8=" }));
        let method = format!("GET {OURS}/entry?shared=true&key=a");
        let missing = scratch.owner(&method, json!({})).unwrap_err();
        assert_eq!(missing.code, Code::NotFound);
        assert_eq!(missing.message, "there is no key `a` in the bucket [ours]");
    }

    #[test]
    fn keys_are_listed_page_by_page_in_the_order_in_which_they_came() {
        let scratch = Scratch::new();
        for number in (1..=11).rev() {
            set(&scratch, &number.to_string(), b"v").unwrap();
        }
        let list = |query: &str| {
            let method = format!("GET {OURS}/entries?shared=true&{query}");
            scratch.owner(&method, json!({}))
        };
        let first = list("pageSize=9").unwrap();
        assert_eq!(
            keys(&first),
            ["11", "10", "9", "8", "7", "6", "5", "4", "3"]
        );
        let token = first["nextPageToken"].as_str().unwrap();
        let second = list(&format!("pageSize=9&pageToken={token}")).unwrap();
        assert_eq!(keys(&second), ["2", "1"]);
        assert_eq!(second["nextPageToken"], Value::Null);
        assert_eq!(keys(&list("key=7").unwrap()), ["7"]);
        assert_eq!(list("key=12").unwrap_err().code, Code::NotFound);
        assert_eq!(
            list("pageToken=eA").unwrap_err().code,
            Code::InvalidArgument
        );
    }

    #[test]
    fn a_bucket_may_have_a_name_of_any_characters() {
        let scratch = Scratch::new();
        let entry = "/host/v1/buckets/team%2Fa%3Ab/entry?shared=true&key=k";
        let set = scratch.owner(&format!("PUT {entry}"), json!({ "value": "dg==" }));
        assert_eq!(set, Ok(json!({ "key": "k", "bytes": 1 })));
        let get = scratch.owner(&format!("GET {entry}"), json!({}));
        assert_eq!(get, Ok(json!({ "key": "k", "value": "dg==" })));
        let audited = ["owner SetEntry projects/local/locations/local/buckets/team/a:b: done"];
        assert_eq!(scratch.audited(), audited);
    }

    #[test]
    fn keys_are_deleted_by_name_or_all_at_once() {
        let scratch = Scratch::new();
        for key in ["a", "b", "c"] {
            set(&scratch, key, b"v").unwrap();
        }
        let delete = |body| {
            let method = format!("POST {OURS}/entries:delete?shared=true");
            scratch.owner(&method, body)
        };
        for body in [json!({}), json!({ "all": true, "keys": ["a"] })] {
            assert_eq!(delete(body).unwrap_err().code, Code::InvalidArgument);
        }
        let some = delete(json!({ "keys": ["a", "x"] })).unwrap();
        assert_eq!(some, json!({ "deleted": 1 }));
        assert_eq!(
            delete(json!({ "all": true })).unwrap(),
            json!({ "deleted": 2 })
        );
        let many = vec!["k"; PAGE + 1];
        set(&scratch, "a", b"v").unwrap();
        let many = delete(json!({ "keys": many })).unwrap_err();
        assert_eq!(many.code, Code::InvalidArgument);
    }

    #[test]
    fn what_is_no_bucket_key_or_value_is_refused() {
        let scratch = Scratch::new();
        let put = |path: &str, body| {
            let refused = scratch.owner(&format!("PUT {path}"), body);
            refused.unwrap_err().code
        };
        let value = json!({ "value": "" });
        let entry = format!("{OURS}/entry");
        assert_eq!(
            put(&format!("{entry}?key=a"), value.clone()),
            Code::NotFound
        );
        let invalid = Code::InvalidArgument;
        let shared = format!("{entry}?shared=true");
        assert_eq!(put(&shared, value.clone()), invalid);
        assert_eq!(put(&format!("{shared}&key="), value.clone()), invalid);
        assert_eq!(put(&format!("{shared}&key=a"), json!({})), invalid);
        let large = json!({ "value": STANDARD.encode(vec![0; LARGEST_VALUE + 1]) });
        assert_eq!(put(&format!("{shared}&key=a"), large), invalid);
        let default = "/host/v1/buckets/default/entry?shared=true&key=a";
        assert_eq!(put(default, value), invalid);
    }

    #[test]
    fn a_viewer_sees_the_keys_and_not_what_is_kept_under_them() {
        let scratch = Scratch::new();
        set(&scratch, "a", b"v").unwrap();
        let list = format!("GET {OURS}/entries?shared=true");
        let get = format!("GET {OURS}/entry?shared=true&key=a");
        let set = format!("PUT {OURS}/entry?shared=true&key=a");
        let delete = format!("POST {OURS}/entries:delete?shared=true");
        let body = json!({ "value": "", "all": true });
        let is_denied = |method: &str| {
            let answer = scratch.user(method, body.clone());
            answer.is_err_and(|status| status.is_denied())
        };
        assert!(is_denied(&list));
        scratch.grant("roles/viewer", &PolicyOf::Project);
        assert!(!is_denied(&list));
        assert!(is_denied(&get) && is_denied(&set) && is_denied(&delete));
        scratch.grant("roles/editor", &PolicyOf::Project);
        assert!(!is_denied(&get) && !is_denied(&set) && !is_denied(&delete));
    }
}
