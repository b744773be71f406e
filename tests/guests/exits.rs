//! Exits with code `?code=` (3), and with `?answer=1` after an answer in full.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    if query.number("answer") == Some(1) {
        answer(out, 200, &[], "answered\n");
    }
    std::process::exit(query.number("code").unwrap_or(3) as i32);
}
