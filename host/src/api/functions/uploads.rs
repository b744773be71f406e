//! Uploads: the sources of functions that are about to be deployed.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::source::{object, upload_url};
use crate::api::{Api, Reply, Request, Status};
use crate::store::{ApiGeneration, StoreError, UploadError, UploadId};

impl Api {
    /// Makes sure that the upload `id` can be put, before its bytes are read. Who knows the id may put it.
    ///
    /// # Errors
    /// If there is no such upload, it has expired or was put already.
    pub(crate) fn check_upload(&self, id: &str) -> Result<(), Status> {
        let id = UploadId::from_text(id);
        // Whoever guesses costs no question to the store.
        if !id.may_be_one() {
            return Err(StoreError::from(UploadError::Missing).into());
        }
        Ok(self.store().check_upload(&id, Timestamp::now())?)
    }

    /// Puts `bytes` into the upload `id`: `PUT /upload/{id}`. Who knows the id may.
    ///
    /// # Errors
    /// If there is no such upload, it has expired or was put already, or there are too many bytes.
    pub(crate) fn upload(&self, id: &str, bytes: Bytes) -> Result<(), Status> {
        let id = UploadId::from_text(id);
        Ok(self.store().put_upload(&id, &bytes, Timestamp::now())?)
    }
}

/// `projects.locations.functions.generateUploadUrl`.
pub(super) fn generate_url(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let id = api.store().begin_upload(Timestamp::now())?;
    let mut answer = json!({ "uploadUrl": upload_url(&request.origin, &id) });
    if version == ApiGeneration::Second {
        answer["storageSource"] = object(&id);
    }
    Ok(answer.into())
}
