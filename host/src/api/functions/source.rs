//! Which upload the source of a function is.

use serde_json::{Value, json};

use super::unsupported::refuse;
use crate::api::Status;
use crate::api::fields::Fields;
use crate::store::{ApiGeneration, UploadId};

/// The bucket that all uploads are in, as clients see it.
const BUCKET: &str = "host-source";
/// What stands behind the id of an upload in the name of an object.
const SUFFIX: &str = ".zip";
/// The part of an upload's URL that stands before its id.
const PATH: &str = "/upload/";

/// Where `id` is put, by the client that reaches the control plane at `origin`.
pub(super) fn upload_url(origin: &str, id: &UploadId) -> String {
    format!("{origin}{PATH}{}", id.as_str())
}

/// The object that `id` is, once it was put.
pub(super) fn object(id: &UploadId) -> Value {
    json!({ "bucket": BUCKET, "object": format!("{}{SUFFIX}", id.as_str()) })
}

/// The source of a function that runs `component`: a client that sends this back means the component that there is.
pub(super) fn present(component: &str) -> Value {
    json!({ "storageSource": { "bucket": BUCKET, "object": component } })
}

/// The upload that `document` names in this version of the API, if it names one that the function with `component` does not
/// run already.
///
/// # Errors
/// If the source is somewhere else.
pub(super) fn named_by(
    version: ApiGeneration,
    document: &Value,
    component: Option<&str>,
) -> Result<Option<UploadId>, Status> {
    let function = Fields::of(document);
    match version {
        ApiGeneration::First => of_first(function, component),
        ApiGeneration::Second => {
            let source = function.inner("buildConfig").inner("source");
            let why = "this host keeps no repositories; upload the folder";
            refuse(source, &[("repoSource", why), ("gitUri", why)])?;
            let source = source.inner("storageSource");
            let bucket = source.text("bucket")?.unwrap_or_default();
            let object = source.text("object")?.unwrap_or_default();
            of_object(&bucket, &object, component)
        }
    }
}

fn of_first(function: Fields<'_>, component: Option<&str>) -> Result<Option<UploadId>, Status> {
    let why = "this host keeps no repositories; upload the folder";
    refuse(function, &[("sourceRepository", why)])?;
    let url = function.text("sourceUploadUrl")?.unwrap_or_default();
    if !url.is_empty() {
        return match url.rsplit_once(PATH) {
            Some((_, id)) => Ok(Some(UploadId::from_text(id))),
            None => Err(Status::invalid(
                "sourceUploadUrl is none of this host; ask for one with functions:generateUploadUrl",
            )),
        };
    }
    let archive = function.text("sourceArchiveUrl")?.unwrap_or_default();
    let path = archive.strip_prefix("gs://").unwrap_or(&archive);
    let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
    of_object(bucket, object, component)
}

fn of_object(
    bucket: &str,
    object: &str,
    component: Option<&str>,
) -> Result<Option<UploadId>, Status> {
    match (bucket, object.strip_suffix(SUFFIX)) {
        ("", _) if object.is_empty() => Ok(None),
        (BUCKET, _) if Some(object) == component => Ok(None),
        (BUCKET, Some(id)) => Ok(Some(UploadId::from_text(id))),
        _ => Err(Status::invalid(format!(
            "the source is in the bucket `{bucket}`, object `{object}`; this host has no buckets but what is uploaded: ask for \
             an upload URL with functions:generateUploadUrl"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(source: &Value) -> Result<Option<UploadId>, Status> {
        let document = json!({ "buildConfig": { "source": source } });
        named_by(ApiGeneration::Second, &document, Some("5e1f"))
    }

    #[test]
    fn an_upload_is_named_by_its_object_or_url() {
        let id = UploadId::from_text("x1");
        let node = json!({ "storageSource": { "bucket": "host-source", "object": "x1.zip", "generation": "0", "sourceUploadUrl": "" } });
        assert_eq!(second(&node), Ok(Some(id.clone())));
        assert_eq!(
            second(&json!({ "storageSource": object(&id) })),
            Ok(Some(id.clone()))
        );
        for document in [
            json!({ "sourceUploadUrl": upload_url("http://127.0.0.1:8081", &id) }),
            json!({ "sourceArchiveUrl": "gs://host-source/x1.zip" }),
        ] {
            let named = named_by(ApiGeneration::First, &document, None);
            assert_eq!(named, Ok(Some(id.clone())), "{document}");
        }
    }

    #[test]
    fn no_source_and_the_present_one_are_no_upload() {
        for source in [json!({}), Value::Null, present("5e1f")] {
            assert_eq!(second(&source), Ok(None), "{source}");
        }
        assert_eq!(named_by(ApiGeneration::First, &json!({}), None), Ok(None));
    }

    #[test]
    fn other_sources_are_refused() {
        for source in [
            json!({ "storageSource": { "bucket": "other", "object": "x1.zip" } }),
            json!({ "storageSource": { "bucket": "host-source", "object": "x1" } }),
            json!({ "gitUri": "https://github.com/a/b" }),
            json!({ "repoSource": { "repoName": "r" } }),
        ] {
            assert!(second(&source).is_err(), "{source}");
        }
        for document in [
            json!({ "sourceUploadUrl": "https://storage.googleapis.com/x" }),
            json!({ "sourceArchiveUrl": "gs://other/x1.zip" }),
            json!({ "sourceRepository": { "url": "https://source.developers.google.com/x" } }),
        ] {
            let named = named_by(ApiGeneration::First, &document, None);
            assert!(named.is_err(), "{document}");
        }
    }
}
