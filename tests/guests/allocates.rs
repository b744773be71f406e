//! Takes memory and writes to each page of it: without end, or `?mib=` mebibytes. Then it answers.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

const MIB: usize = 1024 * 1024;

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let bound = Query::of(&request).number("mib").unwrap_or(u64::MAX);
    let mut taken = Vec::new();
    for _ in 0..bound {
        taken.push(std::hint::black_box(vec![1_u8; MIB]));
    }
    answer(out, 200, &[], format!("{} MiB\n", taken.len()));
}
