//! Waits in a host call: for ever, or for `?ms=` milliseconds. Then it answers.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer, sleep};

const AN_HOUR: u64 = 3_600_000;

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    match Query::of(&request).number("ms") {
        Some(milliseconds) => sleep(milliseconds),
        None => loop {
            sleep(AN_HOUR);
        },
    }
    answer(out, 200, &[], "slept\n");
}
