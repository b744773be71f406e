//! The WASI HTTP side: reads the body, writes the answer.

use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::io::streams::StreamError;

use crate::greeting;

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;

struct Function;

wasi::http::proxy::export!(Function);

impl Guest for Function {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let (status, text) = match read(&request) {
            Some(body) => greeting::answer(&body),
            None => (413, "Body Too Large".to_owned()),
        };
        // What is printed becomes a log entry.
        println!("{text}");
        respond(out, status, &text);
    }
}

/// The whole body; nothing if it is too large or does not come.
fn read(request: &IncomingRequest) -> Option<Vec<u8>> {
    let body = request.consume().ok()?;
    let stream = body.stream().ok()?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Some(bytes),
            Err(StreamError::LastOperationFailed(_)) => return None,
        }
        if bytes.len() > LARGEST_BODY {
            return None;
        }
    }
}

fn respond(out: ResponseOutparam, status: u16, text: &str) {
    let headers = Fields::new();
    let content_type = b"text/plain; charset=utf-8".to_vec();
    let _ = headers.append(&"content-type".to_owned(), &content_type);
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        for chunk in text.as_bytes().chunks(4096) {
            // A caller who has gone does not read the rest.
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
    }
    let _ = OutgoingBody::finish(body, None);
}
