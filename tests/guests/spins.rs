//! Keeps the processor busy: for ever, for `?ms=` milliseconds, or for `?rounds=` of a fixed amount
//! of work. Then it answers.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer, burn, burn_rounds};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    match (query.number("ms"), query.number("rounds")) {
        (Some(milliseconds), _) => burn(milliseconds),
        (None, Some(rounds)) => burn_rounds(rounds),
        (None, None) => loop {
            burn_rounds(u64::MAX);
        },
    }
    answer(out, 200, &[], "spun\n");
}
