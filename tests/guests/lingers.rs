//! Answers in full, goes on working for `?ms=` milliseconds (100), and then prints a line.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer, burn};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let milliseconds = Query::of(&request).number("ms").unwrap_or(100);
    answer(out, 200, &[], "answered\n");
    burn(milliseconds);
    println!("still here");
}
