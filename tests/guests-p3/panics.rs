//! Panics, with a message.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Request};

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    panic!("the guest gave up")
}
