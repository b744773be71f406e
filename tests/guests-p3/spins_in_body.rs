//! Sends the head and `?bytes=` bytes (8 KiB) of a body, and then keeps the processor busy for ever.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, spawn, spin, start};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let bytes = Query::of(&request).number("bytes").unwrap_or(8 * 1024) as usize;
    let (response, mut body) = start(200, &[]);
    spawn(async move {
        body.write(vec![b'x'; bytes]).await;
        spin();
    });
    Ok(response)
}
