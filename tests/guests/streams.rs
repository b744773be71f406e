//! Streams a body: `?mib=` mebibytes, or `?chunks=` (16) of `?size=` bytes (64 KiB), with a pause of
//! `?delay_ms=`, or work for `?burn_ms=`, after each chunk.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, burn, finish, sleep, start, write_all};

const CHUNK: u64 = 64 * 1024;
const CHUNKS_PER_MIB: u64 = 1024 * 1024 / CHUNK;

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let chunks = match query.number("mib") {
        Some(mebibytes) => mebibytes * CHUNKS_PER_MIB,
        None => query.number("chunks").unwrap_or(16),
    };
    let chunk = vec![b'x'; query.number("size").unwrap_or(CHUNK) as usize];
    let delay = query.number("delay_ms");
    let work = query.number("burn_ms");

    let body = start(out, 200, &[("content-type", "application/octet-stream")]);
    let stream = body.write().expect("the stream is asked for once");
    for _ in 0..chunks {
        if let Err(error) = write_all(&stream, &chunk) {
            eprintln!("the caller went away: {error}");
            return;
        }
        if let Some(milliseconds) = delay {
            let _ = stream.blocking_flush();
            sleep(milliseconds);
        }
        if let Some(milliseconds) = work {
            burn(milliseconds);
        }
    }
    drop(stream);
    let _ = finish(body, None);
}
