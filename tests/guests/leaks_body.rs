//! Writes `?text=` (10 digits), or `?bytes=` bytes, of a body and leaks its handles, so that the body is never finished. It has
//! declared `?length=` bytes, or without that none.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, start, write_all};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let text = match query.number("bytes") {
        Some(bytes) => "x".repeat(bytes as usize),
        None => query.get("text").unwrap_or("0123456789").to_owned(),
    };
    let length = query.get("length").map(|length| ("content-length", length));
    let body = start(out, 200, length.as_slice());
    let stream = body.write().expect("the stream is asked for once");
    let _ = write_all(&stream, text.as_bytes());
    std::mem::forget(stream);
    std::mem::forget(body);
}
