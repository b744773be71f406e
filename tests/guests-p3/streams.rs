//! Streams a body: `?mib=` mebibytes, or `?chunks=` (16) of `?size=` bytes (64 KiB), with a pause of
//! `?delay_ms=`, or work for `?burn_ms=`, after each chunk.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Query, Request, burn, sleep, spawn, start};

const CHUNK: u64 = 64 * 1024;
const CHUNKS_PER_MIB: u64 = 1024 * 1024 / CHUNK;

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let chunks = match query.number("mib") {
        Some(mebibytes) => mebibytes * CHUNKS_PER_MIB,
        None => query.number("chunks").unwrap_or(16),
    };
    let chunk = vec![b'x'; query.number("size").unwrap_or(CHUNK) as usize];
    let (response, mut body) = start(200, &[("content-type", "application/octet-stream")]);
    spawn(async move {
        for _ in 0..chunks {
            if !body.write(chunk.clone()).await {
                eprintln!("the caller went away");
                return;
            }
            if let Some(milliseconds) = query.number("delay_ms") {
                sleep(milliseconds).await;
            }
            if let Some(milliseconds) = query.number("burn_ms") {
                burn(milliseconds);
            }
        }
        body.finish(Ok(None)).await;
    });
    Ok(response)
}
