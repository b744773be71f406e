//! Sends the head and `?bytes=` bytes (10) of a body, and waits for ever without an end of it.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, spawn, start, wait_for_ever};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let bytes = Query::of(&request).number("bytes").unwrap_or(10) as usize;
    let (response, mut body) = start(200, &[]);
    spawn(async move {
        body.write(vec![b'x'; bytes]).await;
        wait_for_ever().await;
    });
    Ok(response)
}
