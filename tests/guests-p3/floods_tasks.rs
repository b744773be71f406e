//! Begins waits of an hour in the host, a thousand at a time: without end, or `?count=` of them. Then it answers, and goes
//! on waiting unless `?then=leave`, which gives them all up.
#![cfg(target_family = "wasm")]

use guests_p3::wit_bindgen::yield_async;
use guests_p3::{Answer, Query, Request, answer, sleep, spawn};

const AN_HOUR: u64 = 3_600_000;

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let mut waits = Vec::new();
    for number in 1..=query.number("count").unwrap_or(u64::MAX) {
        waits.push(spawn(sleep(AN_HOUR)));
        if number % 1000 == 0 {
            // The waits begin once they are polled.
            yield_async().await;
        }
    }
    yield_async().await;
    if query.get("then") == Some("leave") {
        waits.iter_mut().for_each(|wait| wait.cancel());
    }
    answer(200, &[], "made\n")
}
