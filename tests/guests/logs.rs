//! Logs by `wasi:logging`, as `?kind=` says, and answers.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({ path: "wit", world: "logging", generate_all });
}

use bindings::wasi::logging::logging::{Level, log};

const LEVELS: [Level; 6] = [
    Level::Trace,
    Level::Debug,
    Level::Info,
    Level::Warn,
    Level::Error,
    Level::Critical,
];

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    match query.get("kind").unwrap_or_default() {
        "levels" => LEVELS
            .iter()
            .for_each(|level| log(*level, "levels", &format!("{level:?}"))),
        "no-context" => log(Level::Info, "", "no context"),
        "lines" => log(Level::Warn, "lines", "one\ntwo\nthree"),
        "object" => log(
            Level::Info,
            "object",
            r#"{"severity":"ERROR","message":"told"}"#,
        ),
        "long" => log(Level::Info, &"c".repeat(20 << 10), &"é".repeat(10 << 10)),
        "many" => {
            (0..query.number("times").unwrap_or(1_000)).for_each(|_| log(Level::Info, "", "again"))
        }
        other => panic!("no such kind: {other:?}"),
    }
    answer(out, 200, &[], "logged\n");
}
