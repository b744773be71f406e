//! Asks for `?len=` random bytes at once (a terabyte), and answers how many it got.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::random::random::get_random_bytes;
use guests_p3::{Answer, Query, Request, answer};

const TERABYTE: u64 = 1 << 40;

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let length = Query::of(&request).number("len").unwrap_or(TERABYTE);
    let bytes = get_random_bytes(length);
    answer(200, &[], format!("{}\n", bytes.len()))
}
