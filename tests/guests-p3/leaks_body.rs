//! Writes `?text=` (10 digits), or `?bytes=` bytes, of a body and leaks its handles, so that the body is never finished. It has
//! declared `?length=` bytes, or without that none.
#![cfg(target_family = "wasm")]

use std::mem::forget;

use guests_p3::{Answer, Query, Request, spawn, start};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let text = match query.number("bytes") {
        Some(bytes) => "x".repeat(bytes as usize),
        None => query.get("text").unwrap_or("0123456789").to_owned(),
    };
    let length = query.get("length").map(|length| ("content-length", length));
    let (response, mut body) = start(200, length.as_slice());
    spawn(async move {
        body.write(text).await;
        forget(body);
    });
    Ok(response)
}
