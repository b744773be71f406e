//! What a guest sends: its response, and the bodies of that and of its requests to the outside.
//!
//! These resources replace those of `wasmtime-wasi-http`, which hold two writes of a body, compare its length where
//! none is sent, and end alike when a guest has finished a body and when it is gone.

use http::{Response, StatusCode};
use wasmtime_wasi_http::FieldMap;

use super::pipe::{PipeReader, PipeWriter};

/// The resource `outgoing-response`.
pub(crate) struct OutgoingResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: FieldMap,
    pub(crate) body: Option<PipeReader>,
}

/// The resource `outgoing-body`.
pub(crate) type OutgoingBody = PipeWriter;

impl OutgoingResponse {
    pub(crate) fn new(headers: FieldMap) -> Self {
        Self {
            status: StatusCode::OK,
            headers,
            body: None,
        }
    }

    /// The response, whose body is going to be read.
    pub(crate) fn into_response(self) -> Response<Option<PipeReader>> {
        if let Some(body) = &self.body {
            body.begin();
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.into();
        response
    }
}
