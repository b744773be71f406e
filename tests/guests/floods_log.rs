//! Prints lines of `?width=` characters (80): without end, or `?lines=` of them. Then it answers. With `?line=` it prints one
//! line of that many characters in place of them, and with `?blocks=` that many times 64 KiB of lines of 1 KiB, as fast as it
//! goes. With `?stream=stderr` there, else to stdout.
#![cfg(target_family = "wasm")]

use guests::wasi::cli::{stderr::get_stderr, stdout::get_stdout};
use guests::{IncomingRequest, Query, ResponseOutparam, answer, write_all};

guests::handler!(handle);

const PIECE: [u8; 4000] = [b'x'; 4000];

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let lines = query.number("lines").unwrap_or(u64::MAX);
    let width = query.number("width").unwrap_or(80) as usize;
    let stream = match query.get("stream") {
        Some("stderr") => get_stderr(),
        _ => get_stdout(),
    };
    if let Some(width) = query.number("line") {
        for _ in 0..width / PIECE.len() as u64 {
            if write_all(&stream, &PIECE).is_err() {
                break;
            }
        }
        return answer(out, 200, &[], "printed\n");
    }
    if let Some(blocks) = query.number("blocks") {
        let block = [&[b'x'; 1023], &b"\n"[..]].concat().repeat(64);
        for _ in 0..blocks {
            if write_all(&stream, &block).is_err() {
                break;
            }
        }
        return answer(out, 200, &[], "printed\n");
    }
    for number in 1..=lines {
        let line = format!("{number:x>width$}\n");
        if write_all(&stream, line.as_bytes()).is_err() {
            break;
        }
    }
    answer(out, 200, &[], "printed\n");
}
