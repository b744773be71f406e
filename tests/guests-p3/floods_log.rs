//! Prints lines of `?width=` characters (80): without end, or `?lines=` of them. Then it answers. With `?line=` it prints one
//! line of that many characters in place of them, and with `?blocks=` that many times 64 KiB of lines of 1 KiB, as fast as it
//! goes. With `?stream=stderr` there, else to stdout. All of it goes through one stream of WASI 0.3.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::cli::{stderr, stdout};
use guests_p3::wasip3::wit_stream;
use guests_p3::{Answer, Query, Request, answer};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let width = query.number("width").unwrap_or(80) as usize;
    let (mut writer, reader) = wit_stream::new();
    let printed = match query.get("stream") {
        Some("stderr") => stderr::write_via_stream(reader),
        _ => stdout::write_via_stream(reader),
    };
    // A piece that is printed again and again, or none where each line has its number.
    let (pieces, piece) = match (query.number("line"), query.number("blocks")) {
        (Some(length), _) => (length / 4000, Some(vec![b'x'; 4000])),
        (None, Some(blocks)) => {
            let line = [&[b'x'; 1023], &b"\n"[..]].concat();
            (blocks, Some(line.repeat(64)))
        }
        (None, None) => (query.number("lines").unwrap_or(u64::MAX), None),
    };
    for number in 1..=pieces {
        let piece = match &piece {
            Some(piece) => piece.clone(),
            None => format!("{number:x>width$}\n").into_bytes(),
        };
        if !writer.write_all(piece).await.is_empty() {
            break;
        }
    }
    drop(writer);
    let _ = printed.await;
    answer(200, &[], "printed\n")
}
