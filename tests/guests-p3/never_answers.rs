//! Waits for ever: for a stream that nobody but itself could write to, or with `?how=writes` for its own body to be read
//! before it has handed over the response.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, start, wait_for_ever};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    if Query::of(&request).get("how") == Some("writes") {
        let (response, mut body) = start(200, &[]);
        body.write("nobody reads this yet\n").await;
        return Ok(response);
    }
    wait_for_ever().await
}
