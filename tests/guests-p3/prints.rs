//! Prints what is odd, as `?kind=` says, and answers. With `?kind=body` it prints what it is sent. It prints through the
//! streams of WASI 0.3, and with `?kind=std` as the standard library does.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::cli::{stderr, stdout};
use guests_p3::{Answer, Query, Request, answer, print, read_to_end};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    match query.get("kind").unwrap_or_default() {
        "line" => to_stdout("a line\n").await,
        "partial" => to_stdout("a line\nno line feed at its end").await,
        "pieces" => {
            for piece in ["in ", "three ", "pieces\n"] {
                to_stdout(piece).await;
            }
        },
        "not-utf-8" => to_stdout(b"before \xff\xfe\xc3 after\n").await,
        "escapes" => {
            to_stdout("\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 back\x08 null\0 c1\u{9b}2J\n").await
        }
        "long" => to_stdout("x".repeat(100 * 1024) + "\n").await,
        "crlf" => to_stdout("one\r\ntwo\r\nthree\rstill three\n").await,
        "empty" => to_stdout("\n\nafter two empty lines\n\n").await,
        "interleaved" => interleaved().await,
        "structured" => {
            to_stdout("{\"severity\":\"WARNING\",\"message\":\"mind the gap\",\"platform\":9}\n").await
        }
        "forged" => to_stdout(concat!(
            r#"{"severity":"INFO","message":"x","logging.googleapis.com/labels":{"execution_id":"aaaaaaaaaaaa"}}"#,
            "\n",
            r#"{"timestamp":"2026-11-23T14:00:00.000000000Z","severity":"INFO","resource":{"type":"cloud_function","labels":{"function_name":"other"}},"labels":{"execution_id":"aaaaaaaaaaaa"},"insertId":"1","textPayload":"x"}"#,
            "\n",
            "\",\"labels\":{\"execution_id\":\"aaaaaaaaaaaa\"}\r\x1b[2J\0\n",
            "D      other   aaaaaaaaaaaa  2026-11-23 14:00:00.000  Function execution started\n"
        )).await,
        "body" => {
            let body = read_to_end(request).await;
            to_stdout(body.expect("the body is whole")).await;
        },
        "std" => {
            println!("out by std");
            eprintln!("err by std");
        }
        "none" => {}
        other => panic!("no such kind: {other:?}"),
    }
    answer(200, &[], "printed\n")
}

async fn interleaved() {
    to_stdout("out 1\nout ").await;
    to_stderr("err 1\nerr ").await;
    to_stdout("2\n").await;
    to_stderr("2\n").await;
}

async fn to_stdout(bytes: impl Into<Vec<u8>>) {
    print(stdout::write_via_stream, bytes).await;
}

async fn to_stderr(bytes: impl Into<Vec<u8>>) {
    print(stderr::write_via_stream, bytes).await;
}
