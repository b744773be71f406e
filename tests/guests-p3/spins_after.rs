//! Answers in full, and then keeps the processor busy for ever.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Request, spawn, spin, start};

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    let (response, mut body) = start(200, &[]);
    spawn(async move {
        body.write("answered\n").await;
        body.finish(Ok(None)).await;
        spin();
    });
    Ok(response)
}
