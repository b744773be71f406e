//! Gives an outgoing request a method or an authority (`?part=`) of `?size=` bytes, and answers
//! whether the host took it.
//!
//! With `?requests=` it makes and keeps so many, each with a path or trailers (`?part=`) of that size.
#![cfg(target_family = "wasm")]

use guests::wasi::http::types::{Fields, Method, OutgoingBody, OutgoingRequest};
use guests::{IncomingRequest, Query, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let size = query.number("size").unwrap_or(1) as usize;
    let part = query.get("part");
    let count = query.number("requests").unwrap_or(1);
    let requests: Vec<_> = (0..count).map(|_| outgoing(part, size)).collect();
    let word = if requests.iter().all(Option::is_some) {
        "taken\n"
    } else {
        "refused\n"
    };
    answer(out, 200, &[], word);
}

fn outgoing(part: Option<&str>, size: usize) -> Option<OutgoingRequest> {
    let text = "X".repeat(size);
    let outgoing = OutgoingRequest::new(Fields::new());
    let taken = match part {
        Some("method") => outgoing.set_method(&Method::Other(text)),
        Some("path") => outgoing.set_path_with_query(Some(&format!("/{text}"))),
        Some("trailers") => {
            let trailers = Fields::new();
            trailers.append("x-trailer", text.as_bytes()).ok()?;
            let body = outgoing.body().ok()?;
            OutgoingBody::finish(body, Some(trailers)).map_err(drop)
        }
        _ => outgoing.set_authority(Some(&text)),
    };
    taken.is_ok().then_some(outgoing)
}
