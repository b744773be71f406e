//! Writes 10 bytes of a body and leaves it unfinished, having declared `?length=` bytes (100), or
//! with `?length=0` none.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, start, write_all};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let length = Query::of(&request).number("length").unwrap_or(100);
    let declared = length.to_string();
    let headers: &[_] = if length == 0 {
        &[]
    } else {
        &[("content-length", declared.as_str())]
    };
    let body = start(out, 200, headers);
    let stream = body.write().expect("the stream is asked for once");
    let _ = write_all(&stream, b"0123456789");
    let _ = stream.blocking_flush();
    drop(stream);
    drop(body);
}
