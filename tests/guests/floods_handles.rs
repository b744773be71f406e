//! Makes resources and gives none back: without end, or `?count=` of them. Then it answers.
#![cfg(target_family = "wasm")]

use guests::wasi::http::types::Fields;
use guests::{IncomingRequest, Query, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    for _ in 0..Query::of(&request).number("count").unwrap_or(u64::MAX) {
        std::mem::forget(Fields::new());
    }
    answer(out, 200, &[], "made\n");
}
