//! Streams the request's body back with its content type, and its trailers as trailers. Under
//! `/headers`, or wherever the query is `?headers`, it answers the method, target, scheme, authority
//! and fields that it saw, a line each.
#![cfg(target_family = "wasm")]

use std::fmt::Write as _;

use guests::wasi::http::types::{Fields, IncomingBody, OutgoingBody, OutgoingResponse};
use guests::wasi::io::streams::{InputStream, OutputStream, StreamError};
use guests::{IncomingRequest, ResponseOutparam, answer, write_all};

/// What is sent back of the request's fields; a sender must announce its trailers. The rest is what a browser would go by.
const RETURNED: [&str; 6] = [
    "content-type",
    "trailer",
    "set-cookie",
    "alt-svc",
    "clear-site-data",
    "service-worker-allowed",
];

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    if path == "/headers" || query == "headers" {
        answer(
            out,
            200,
            &[("content-type", "text/plain; charset=utf-8")],
            head(&request),
        );
    } else {
        echo(&request, out);
    }
}

fn head(request: &IncomingRequest) -> String {
    let mut text = format!(
        "method: {:?}\ntarget: {:?}\nscheme: {:?}\nauthority: {:?}\n",
        request.method(),
        request.path_with_query(),
        request.scheme(),
        request.authority(),
    );
    for (name, value) in request.headers().entries() {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(&value));
    }
    text
}

fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let fields = Fields::new();
    for name in RETURNED {
        for value in request.headers().get(name) {
            fields
                .append(name, &value)
                .expect("the host takes its own headers");
        }
    }
    let response = OutgoingResponse::new(fields);
    let outgoing = response.body().expect("the body is asked for once");
    ResponseOutparam::set(out, Ok(response));

    let incoming = request.consume().expect("the body is asked for once");
    let (from, to) = (
        incoming.stream().expect("once"),
        outgoing.write().expect("once"),
    );
    if let Err(error) = copy(&from, &to) {
        eprintln!("the body broke off: {error}");
        return;
    }
    drop((from, to));
    let _ = OutgoingBody::finish(outgoing, trailers(incoming));
}

fn copy(from: &InputStream, to: &OutputStream) -> Result<(), StreamError> {
    loop {
        match from.blocking_read(64 * 1024) {
            Ok(chunk) => write_all(to, &chunk)?,
            Err(StreamError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn trailers(body: IncomingBody) -> Option<Fields> {
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(trailers))) => trailers,
        other => {
            eprintln!("the trailers broke off: {other:?}");
            None
        }
    }
}
