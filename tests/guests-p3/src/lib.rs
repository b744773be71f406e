//! What the test guests for WASI 0.3 share. Each guest is one file beside `Cargo.toml`, named for what
//! it does, and takes its figures from the query string, as its namesake for WASI 0.2 does.
//!
//! For another target than WebAssembly this crate and all guests are empty.
#![cfg(target_family = "wasm")]

mod client;
mod output;
// The same for both generations: text in, text out.
#[path = "../../guests/src/query.rs"]
mod query;
mod request;
mod response;

pub use client::{consume_response, outgoing};
pub use output::print;
pub use query::Query;
pub use request::{consume, path, read_to_end};
pub use response::{Answer, Body, answer, no_trailers, start};

pub use wasip3;
pub use wasip3::http::client::send as call;
pub use wasip3::http::types::{ErrorCode, Fields, Request, Response};
pub use wasip3::spawn_local as spawn;
pub use wasip3::wit_bindgen;

use wasip3::clocks::monotonic_clock;

/// Makes a function `async fn(Request) -> Answer` the component's handler.
#[macro_export]
macro_rules! handler {
    ($handle:path) => {
        struct Handler;

        impl $crate::wasip3::exports::http::handler::Guest for Handler {
            async fn handle(request: $crate::Request) -> $crate::Answer {
                $handle(request).await
            }
        }

        $crate::wasip3::http::service::export!(Handler with_types_in $crate::wasip3);
    };
}

/// Keeps the processor busy for this many milliseconds of the clock on the wall.
pub fn burn(milliseconds: u64) {
    let end = monotonic_clock::now() + milliseconds * 1_000_000;
    while monotonic_clock::now() < end {
        burn_rounds(10_000);
    }
}

/// Keeps the processor busy with the same amount of work each time, however long that takes.
pub fn burn_rounds(rounds: u64) {
    let mut state = 1_u64;
    for _ in 0..rounds {
        state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005) + 1);
    }
}

/// Keeps the processor busy until somebody ends it.
pub fn spin() -> ! {
    loop {
        burn_rounds(u64::MAX);
    }
}

/// Waits for a stream that nobody else can write to.
///
/// The bindings refuse to wait for nothing at all.
pub async fn wait_for_ever() -> ! {
    let (_writer, mut reader) = wasip3::wit_stream::new::<u8>();
    reader.next().await;
    unreachable!("nobody writes");
}

/// Waits in the host for this many milliseconds.
pub async fn sleep(milliseconds: u64) {
    monotonic_clock::wait_for(milliseconds * 1_000_000).await;
}
