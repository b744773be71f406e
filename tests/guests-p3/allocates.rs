//! Takes memory and writes to each page of it: without end, or `?mib=` mebibytes. Then it answers,
//! after `?ms=` milliseconds if that is given.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, answer, sleep};

const MIB: usize = 1024 * 1024;

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let bound = query.number("mib").unwrap_or(u64::MAX);
    let mut taken = Vec::new();
    for _ in 0..bound {
        taken.push(std::hint::black_box(vec![1_u8; MIB]));
    }
    if let Some(milliseconds) = query.number("ms") {
        sleep(milliseconds).await;
    }
    answer(200, &[], format!("{} MiB\n", taken.len()))
}
