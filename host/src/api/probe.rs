//! Calls methods with whatever comes, for the fuzzer.

use std::sync::Arc;

use bytes::Bytes;

use super::{Api, Call, Caller, Status};
use crate::store::{Store, StoreError};

/// The methods on a store in memory, called by their owner.
pub struct Probe(Api);

impl Probe {
    /// A store without anything in it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn new() -> Result<Self, StoreError> {
        let store = Arc::new(Store::in_memory()?);
        let api = Api::new(store, Box::new(drop));
        // Nothing but the store can fail.
        api.map(Self)
            .map_err(|status| StoreError::Settings(status.message))
    }

    /// Calls the method that `request` names: a line with verb, path and query, and the body. Answers the error's message, if
    /// it fails.
    pub fn call(&self, request: &[u8]) -> Option<String> {
        let end = request.iter().position(|byte| *byte == b'\n');
        let (line, body) = request.split_at(end.unwrap_or(request.len()));
        let line = String::from_utf8_lossy(line);
        let (verb, target) = line.split_once(' ').unwrap_or((&line, ""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let caller = Caller::owner();
        let call = Call {
            verb,
            path,
            query,
            body: Bytes::copy_from_slice(body.get(1..).unwrap_or_default()),
            origin: "http://127.0.0.1:8081".into(),
            is_own_client: false,
        };
        let checked = self.0.check(&caller, verb, path);
        let called = checked.and_then(|_| self.0.call(&caller, call));
        called.err().map(|Status { message, .. }| message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_line_and_a_body() {
        let probe = Probe::new().unwrap();
        let jobs = "/v1/projects/local/locations/local/jobs";
        let job = r#"{"schedule": "0 * * * *", "httpTarget": {"uri": "http://127.0.0.1:1/"}}"#;
        let create = format!("POST {jobs}\n{job}");
        assert_eq!(probe.call(create.as_bytes()), None);
        assert_eq!(
            probe.call(format!("GET {jobs}?pageSize=1").as_bytes()),
            None
        );
        for none in ["", "\n", "GET", "GET /", "\u{0}"] {
            assert!(probe.call(none.as_bytes()).is_some(), "{none:?}");
        }
    }
}
