//! Keeps what the path says beyond its answer, and answers how many things it keeps: `kept 1\n`.
//! - `/stream`, `/future`: both ends of one;
//! - `/fields`, `/response`: a new one;
//! - `/request`, `/body`: the request that it answers, or its body, unread;
//! - `/subtask`: a wait of an hour in the host that nobody looks after;
//! - `/timer`: a task that waits so long, or `?ms=` milliseconds;
//! - `/call`: a task that requests `?url=`;
//! - `/nothing`.
#![cfg(target_family = "wasm")]

use std::any::Any;
use std::cell::RefCell;

use guests_p3::wasip3::{wit_future, wit_stream};
use guests_p3::{
    Answer, ErrorCode, Fields, Query, Request, Response, answer, call, consume, no_trailers,
    outgoing, path, sleep, spawn,
};

const AN_HOUR: u64 = 3_600_000;

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn Any>>> = RefCell::default();
}

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let kept: Box<dyn Any> = match path(&request).as_str() {
        "/nothing" => Box::new(()),
        "/stream" => Box::new(wit_stream::new::<u8>()),
        "/future" => Box::new(wit_future::new::<Result<(), ErrorCode>>(|| Ok(()))),
        "/fields" => Box::new(Fields::new()),
        "/response" => Box::new(Response::new(Fields::new(), None, no_trailers())),
        "/request" => Box::new(request),
        "/body" => Box::new(consume(request)),
        "/timer" => Box::new(spawn(sleep(query.number("ms").unwrap_or(AN_HOUR)))),
        // SAFETY: it takes a number, and nothing is done with what it returns.
        "/subtask" => Box::new(unsafe { wait_for(AN_HOUR * 1_000_000) }),
        "/call" => {
            let url = query.get("url").expect("url must be given");
            let (request, _) = outgoing("GET", url, None).expect("the host takes the request");
            Box::new(spawn(call(request)))
        }
        other => panic!("no such kind: {other:?}"),
    };
    let count = KEPT.with_borrow_mut(|all| {
        all.push(kept);
        all.len()
    });
    answer(200, &[], format!("kept {count}\n"))
}

// As the bindings have it, but with nobody in this component to wait for its end.
#[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.3.2")]
unsafe extern "C" {
    #[link_name = "[async-lower]wait-for"]
    fn wait_for(nanoseconds: u64) -> u32;
}
