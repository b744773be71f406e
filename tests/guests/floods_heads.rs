//! Gives an outgoing request a method or an authority (`?part=`) of `?size=` bytes, and answers
//! whether the host took it.
#![cfg(target_family = "wasm")]

use guests::wasi::http::types::{Fields, Method, OutgoingRequest};
use guests::{IncomingRequest, Query, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let text = "X".repeat(query.number("size").unwrap_or(1) as usize);
    let outgoing = OutgoingRequest::new(Fields::new());
    let taken = match query.get("part") {
        Some("method") => outgoing.set_method(&Method::Other(text)),
        _ => outgoing.set_authority(Some(&text)),
    };
    let word = if taken.is_ok() {
        "taken\n"
    } else {
        "refused\n"
    };
    answer(out, 200, &[], word);
}
