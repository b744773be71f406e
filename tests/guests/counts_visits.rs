//! Counts its visitors as a component of a template of wasmCloud may: with a greeting from `wasi:config`, a message by
//! `wasi:logging` and the count in `wasi:keyvalue`.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, ResponseOutparam, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({ path: "wit", world: "template", generate_all });
}

use bindings::wasi::config::store as config;
use bindings::wasi::keyvalue0_2_0_draft::{atomics, store};
use bindings::wasi::logging::logging::{Level, log};

guests::handler!(handle);

fn handle(_: IncomingRequest, out: ResponseOutparam) {
    let greeting = config::get("greeting")
        .expect("values are there")
        .unwrap_or("Hello".to_owned());
    let bucket = store::open("").expect("there is a bucket");
    let count = atomics::increment(&bucket, "visits", 1).expect("the visit is counted");
    log(Level::Info, "visits", &format!("visit {count}"));
    answer(out, 200, &[], format!("{greeting}, visitor {count}!\n"));
}
