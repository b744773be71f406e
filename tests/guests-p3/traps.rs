//! Executes `unreachable`: at once, or with `?after=` after that many bytes of a response.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::unreachable;

use guests_p3::{Answer, Query, Request, spawn, start};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let Some(length) = Query::of(&request).number("after") else {
        unreachable()
    };
    let (response, mut body) = start(200, &[]);
    spawn(async move {
        body.write(vec![b'x'; length as usize]).await;
        unreachable();
    });
    Ok(response)
}
