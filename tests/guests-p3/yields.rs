//! Gives the processor back to the host and takes it again, for ever or for `?ms=` milliseconds: by returning to the event
//! loop, with `?how=blocking` from the middle of its code, or with `?how=timers` by waits of no time.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::clocks::monotonic_clock;
use guests_p3::wit_bindgen::{yield_async, yield_blocking};
use guests_p3::{Answer, Query, Request, answer, sleep};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let how = query.get("how").unwrap_or_default();
    let milliseconds = query.number("ms").unwrap_or(u64::MAX / 1_000_000);
    let end = monotonic_clock::now().saturating_add(milliseconds * 1_000_000);
    while monotonic_clock::now() < end {
        match how {
            "" => yield_async().await,
            "blocking" => drop(yield_blocking()),
            "timers" => sleep(0).await,
            other => panic!("it cannot yield so: {other:?}"),
        }
    }
    answer(200, &[], "yielded\n")
}
