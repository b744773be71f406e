//! What the test guests share. Each guest is one file beside `Cargo.toml`, named for what it does,
//! and takes its figures from the query string.
//!
//! For another target than WebAssembly this crate and all guests are empty.
#![cfg(target_family = "wasm")]

mod query;
mod response;

pub use query::Query;
pub use response::{answer, finish, start, write_all};

pub use bindings::exports::wasi::http::incoming_handler::Guest;
pub use bindings::wasi;
pub use bindings::wasi::http::types::{IncomingRequest, ResponseOutparam};

/// The bindings to everything a host offers.
pub mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "function-with-imports",
        generate_all,
        pub_export_macro: true,
    });
}

/// Makes a function `fn(IncomingRequest, ResponseOutparam)` the component's handler.
#[macro_export]
macro_rules! handler {
    ($handle:path) => {
        struct Handler;

        impl $crate::Guest for Handler {
            fn handle(request: $crate::IncomingRequest, out: $crate::ResponseOutparam) {
                $handle(request, out);
            }
        }

        $crate::bindings::export!(Handler with_types_in $crate::bindings);
    };
}

impl Query {
    /// Reads the query of `request`.
    pub fn of(request: &IncomingRequest) -> Self {
        Self::parse(&request.path_with_query().unwrap_or_default())
    }
}

/// Keeps the processor busy for this many milliseconds of the clock on the wall.
pub fn burn(milliseconds: u64) {
    let end = wasi::clocks::monotonic_clock::now() + milliseconds * 1_000_000;
    while wasi::clocks::monotonic_clock::now() < end {
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

/// Waits in the host for this many milliseconds.
pub fn sleep(milliseconds: u64) {
    wasi::clocks::monotonic_clock::subscribe_duration(milliseconds * 1_000_000).block();
}
