//! Keeps the processor busy: for ever, for `?ms=` milliseconds, or for `?rounds=` of a fixed amount
//! of work. Then it answers.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, answer, burn, burn_rounds, spin};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    match (query.number("ms"), query.number("rounds")) {
        (Some(milliseconds), _) => burn(milliseconds),
        (None, Some(rounds)) => burn_rounds(rounds),
        (None, None) => spin(),
    }
    answer(200, &[], "spun\n")
}
