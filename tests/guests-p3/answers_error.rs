//! Answers with an error code in place of a response.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, ErrorCode, Request};

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    Err(ErrorCode::InternalError(Some(
        "the guest has no answer".to_owned(),
    )))
}
