//! Exits with code 3 and without a response.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, ResponseOutparam};

guests::handler!(handle);

fn handle(_: IncomingRequest, _: ResponseOutparam) {
    std::process::exit(3);
}
