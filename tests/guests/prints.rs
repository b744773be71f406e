//! Prints what is odd, as `?kind=` says, and answers. With `?kind=body` it prints what it is sent.
#![cfg(target_family = "wasm")]

use guests::wasi::cli::{stderr::get_stderr, stdout::get_stdout};
use guests::{IncomingRequest, Query, ResponseOutparam, answer, write_all};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    match query.get("kind").unwrap_or_default() {
        "line" => to_stdout("a line\n"),
        "partial" => to_stdout("a line\nno line feed at its end"),
        "pieces" => ["in ", "three ", "pieces\n"].iter().for_each(to_stdout),
        "not-utf-8" => to_stdout(b"before \xff\xfe\xc3 after\n"),
        "escapes" => {
            to_stdout("\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 back\x08 null\0 c1\u{9b}2J\n")
        }
        "long" => to_stdout("x".repeat(100 * 1024) + "\n"),
        "crlf" => to_stdout("one\r\ntwo\r\nthree\rstill three\n"),
        "empty" => to_stdout("\n\nafter two empty lines\n\n"),
        "interleaved" => interleaved(),
        "structured" => {
            to_stdout("{\"severity\":\"WARNING\",\"message\":\"mind the gap\",\"platform\":9}\n")
        }
        "forged" => to_stdout(concat!(
            r#"{"severity":"INFO","message":"x","logging.googleapis.com/labels":{"execution_id":"aaaaaaaaaaaa"}}"#,
            "\n",
            r#"{"timestamp":"2026-11-23T14:00:00.000000000Z","severity":"INFO","resource":{"type":"cloud_function","labels":{"function_name":"other"}},"labels":{"execution_id":"aaaaaaaaaaaa"},"insertId":"1","textPayload":"x"}"#,
            "\n",
            "\",\"labels\":{\"execution_id\":\"aaaaaaaaaaaa\"}\r\x1b[2J\0\n",
            "D      other   aaaaaaaaaaaa  2026-11-23 14:00:00.000  Function execution started\n"
        )),
        "body" => to_stdout(body(&request)),
        "none" => {}
        other => panic!("no such kind: {other:?}"),
    }
    answer(out, 200, &[], "printed\n");
}

/// All that the request brings along.
fn body(request: &IncomingRequest) -> Vec<u8> {
    let incoming = request.consume().expect("the body is asked for once");
    let stream = incoming.stream().expect("the stream is asked for once");
    let mut body = Vec::new();
    while let Ok(chunk) = stream.blocking_read(64 * 1024) {
        body.extend_from_slice(&chunk);
    }
    body
}

fn interleaved() {
    to_stdout("out 1\nout ");
    to_stderr("err 1\nerr ");
    to_stdout("2\n");
    to_stderr("2\n");
}

fn to_stdout(bytes: impl AsRef<[u8]>) {
    write_all(&get_stdout(), bytes.as_ref()).expect("stdout is open");
}

fn to_stderr(bytes: impl AsRef<[u8]>) {
    write_all(&get_stderr(), bytes.as_ref()).expect("stderr is open");
}
