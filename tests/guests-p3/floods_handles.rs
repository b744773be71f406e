//! Makes handles of the kind that the path says, and gives none back: without end, or `?count=` of them. Then it answers.
//! The kinds are `/streams`, `/futures`, `/fields` (or no path), `/requests`, `/responses`, `/options` and `/sets`, which
//! are sets of waitables.
#![cfg(target_family = "wasm")]

use std::mem::forget;

use guests_p3::wasip3::http::types::RequestOptions;
use guests_p3::wasip3::{wit_future, wit_stream};
use guests_p3::{Answer, ErrorCode, Fields, Query, Request, Response, answer, no_trailers, path};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let make: fn() = match path(&request).as_str() {
        "/streams" => || forget(wit_stream::new::<u8>()),
        "/futures" => || forget(wit_future::new::<Result<(), ErrorCode>>(|| Ok(()))),
        "/fields" | "/" => || forget(Fields::new()),
        "/requests" => || forget(Request::new(Fields::new(), None, no_trailers(), None)),
        "/responses" => || forget(Response::new(Fields::new(), None, no_trailers())),
        "/options" => || forget(RequestOptions::new()),
        "/sets" => || {
            // SAFETY: it takes nothing, and nothing is done with what it returns.
            unsafe { waitable_set_new() };
        },
        other => panic!("no such kind: {other:?}"),
    };
    for _ in 0..Query::of(&request).number("count").unwrap_or(u64::MAX) {
        make();
    }
    answer(200, &[], "made\n")
}

#[link(wasm_import_module = "$root")]
unsafe extern "C" {
    #[link_name = "[waitable-set-new]"]
    fn waitable_set_new() -> u32;
}
