//! Exits with code `?code=` (3), and with `?answer=1` after an answer in full. The standard library exits by WASI 0.2, which
//! knows failure and no codes; with `?wasi=0.3` the guest exits by WASI 0.3.
#![cfg(target_family = "wasm")]

use std::process;

use guests_p3::{Answer, Query, Request, spawn, start};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let code = query.number("code").unwrap_or(3);
    let leave = if query.get("wasi") == Some("0.3") {
        exit_by_wasi
    } else {
        exit_by_std
    };
    if query.number("answer") != Some(1) {
        leave(code);
    }
    let (response, mut body) = start(200, &[]);
    spawn(async move {
        body.write("answered\n").await;
        body.finish(Ok(None)).await;
        leave(code);
    });
    Ok(response)
}

fn exit_by_std(code: u64) {
    process::exit(code as i32);
}

fn exit_by_wasi(code: u64) {
    guests_p3::wasip3::cli::exit::exit_with_code(code as u8);
}
