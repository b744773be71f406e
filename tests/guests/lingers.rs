//! Answers in full (`?status=`, 200), goes on working for `?ms=` milliseconds (100), and then prints a line.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer, burn};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let milliseconds = query.number("ms").unwrap_or(100);
    let status = query.number("status").unwrap_or(200) as u16;
    answer(out, status, &[], "answered\n");
    burn(milliseconds);
    println!("still here");
}
