//! Answers what `wasi:config` has: the value of `?key=`, or without one all of it, a line for each.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({ path: "wit", world: "config", generate_all });
}

use bindings::wasi::config::store;

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let found = match Query::of(&request).get("key") {
        Some(key) => store::get(key)
            .expect("values are there")
            .into_iter()
            .collect(),
        None => all(),
    };
    match &found[..] {
        [] => answer(out, 404, &[], ""),
        lines => answer(out, 200, &[], lines.join("\n")),
    }
}

fn all() -> Vec<String> {
    let values = store::get_all().expect("values are there").into_iter();
    values
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}
