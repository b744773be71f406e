//! The handler: a request read, an answer printed and written.

use crate::greeting::Answer;

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::wasi::cli::{stderr::get_stderr, stdout::get_stdout};
use bindings::wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// The most of a body that is read, in bytes.
const BODY_BOUND: usize = 1024 * 1024;

/// The most that is asked of a stream in one read, in bytes.
const READ_SIZE: u64 = 64 * 1024;

/// The most that `blocking-write-and-flush` takes in one call, in bytes.
const FLUSH_SIZE: usize = 4096;

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({ path: "../wit", world: "function", generate_all });
    export!(Handler);
    use super::Handler;
}

struct Handler;

impl Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let answer = match read(&request) {
            Ok(body) => Answer::to(&body),
            Err(refusal) => refusal,
        };
        print(&answer);
        respond(&answer, out);
    }
}

/// The whole body, or what to answer where it cannot be had.
fn read(request: &IncomingRequest) -> Result<Vec<u8>, Answer> {
    let unreadable = |()| Answer::NotJson("the body cannot be read".to_owned());
    let body = request.consume().map_err(unreadable)?;
    let stream = body.stream().map_err(unreadable)?;
    read_to_end(&stream)
}

fn read_to_end(stream: &InputStream) -> Result<Vec<u8>, Answer> {
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_SIZE) {
            Ok(chunk) if body.is_empty() => body = chunk,
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(Answer::NotJson(error.to_debug_string()));
            }
        }
        if body.len() > BODY_BOUND {
            return Err(Answer::TooLarge(BODY_BOUND));
        }
    }
}

/// Prints a greeting to stdout, anything else to stderr; if nobody listens, that is no error.
///
/// Straight to the host's stream: `println!` would first set up libc's table of files, once more
/// for each instance, and an instance lives for one request.
fn print(answer: &Answer) {
    let stream = match answer {
        Answer::Greeting(_) => get_stdout(),
        Answer::NotJson(_) | Answer::TooLarge(_) => get_stderr(),
    };
    let line = format!("{answer}\n");
    for chunk in line.as_bytes().chunks(FLUSH_SIZE) {
        if stream.blocking_write_and_flush(chunk).is_err() {
            return;
        }
    }
}

fn respond(answer: &Answer, out: ResponseOutparam) {
    let content_type = (
        "content-type".to_owned(),
        b"text/plain; charset=utf-8".to_vec(),
    );
    let fields = Fields::from_list(&[content_type]).unwrap_or_else(|_| Fields::new());
    let response = OutgoingResponse::new(fields);
    // Neither fails, the status being one of HTTP's and the body asked for once; if one did, the
    // host would answer in our place.
    let (Ok(()), Ok(body)) = (response.set_status_code(answer.status()), response.body()) else {
        return;
    };
    ResponseOutparam::set(out, Ok(response));
    write_body(body, answer.text().as_bytes());
}

/// Writes the whole body; to a caller who goes away meanwhile it stays unfinished.
fn write_body(body: OutgoingBody, text: &[u8]) {
    let Ok(stream) = body.write() else { return };
    if write_all(&stream, text).is_ok() {
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

/// Writes as fast as the host takes it, and without waiting where it takes all at once.
fn write_all(stream: &OutputStream, mut text: &[u8]) -> Result<(), StreamError> {
    while !text.is_empty() {
        let permit = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if permit == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, rest) = text.split_at(permit.min(text.len()));
        stream.write(now)?;
        text = rest;
    }
    Ok(())
}
