//! Waits in a host call: for ever, or for `?ms=` milliseconds. Then it answers.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, answer, sleep};

const AN_HOUR: u64 = 3_600_000;

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    match Query::of(&request).number("ms") {
        Some(milliseconds) => sleep(milliseconds).await,
        None => loop {
            sleep(AN_HOUR).await;
        },
    }
    answer(200, &[], "slept\n")
}
