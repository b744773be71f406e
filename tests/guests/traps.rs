//! Executes `unreachable`: at once, or with `?after=` after that many bytes of a response.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::unreachable;

use guests::{IncomingRequest, Query, ResponseOutparam, start, write_all};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    if let Some(length) = Query::of(&request).number("after") {
        let body = start(out, 200, &[]);
        if let Ok(stream) = body.write() {
            let _ = write_all(&stream, &vec![b'x'; length as usize]);
            let _ = stream.blocking_flush();
        }
    }
    unreachable()
}
