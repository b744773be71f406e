//! Answers with an error code in place of a response.
#![cfg(target_family = "wasm")]

use guests::wasi::http::types::ErrorCode;
use guests::{IncomingRequest, ResponseOutparam};

guests::handler!(handle);

fn handle(_: IncomingRequest, out: ResponseOutparam) {
    let error = ErrorCode::InternalError(Some("the guest has no answer".to_owned()));
    ResponseOutparam::set(out, Err(error));
}
