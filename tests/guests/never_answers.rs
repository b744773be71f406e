//! Returns without a response.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, ResponseOutparam};

guests::handler!(handle);

fn handle(_: IncomingRequest, _: ResponseOutparam) {}
