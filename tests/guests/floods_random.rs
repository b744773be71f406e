//! Asks for `?len=` random bytes at once (a terabyte), and answers how many it got.
#![cfg(target_family = "wasm")]

use guests::wasi::random::random::get_random_bytes;
use guests::{IncomingRequest, Query, ResponseOutparam, answer};

const TERABYTE: u64 = 1 << 40;

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let length = Query::of(&request).number("len").unwrap_or(TERABYTE);
    let bytes = get_random_bytes(length);
    answer(out, 200, &[], format!("{}\n", bytes.len()));
}
