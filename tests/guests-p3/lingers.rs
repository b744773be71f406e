//! Answers in full (`?status=`, 200), goes on working, or with `?how=sleep` waiting, for `?ms=` milliseconds (100), and then
//! prints a line. With `?sent=1` it waits until the host says that the response is sent, and prints that first.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, burn, sleep, spawn, start};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let milliseconds = query.number("ms").unwrap_or(100);
    let status = query.number("status").unwrap_or(200) as u16;
    let (response, mut body) = start(status, &[]);
    spawn(async move {
        body.write("answered\n").await;
        let sent = body.finish(Ok(None)).await;
        if query.get("sent").is_some() {
            println!("sent: {:?}", sent.await);
        }
        match query.get("how") {
            Some("sleep") => sleep(milliseconds).await,
            _ => burn(milliseconds),
        }
        println!("still here");
    });
    Ok(response)
}
