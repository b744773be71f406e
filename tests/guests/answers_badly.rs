//! Answers what HTTP does not allow: with `?status=` that status, or as `?kind=` says
//! - `short`: fewer bytes than declared, and the body finished;
//! - `long`: more bytes than declared;
//! - `none`: bytes declared, and no body asked for;
//! - `length`: a content length that is no number;
//! - `lengths`: two content lengths.
//!
//! Where the host refuses it to the guest, the guest answers 200 and says so.
#![cfg(target_family = "wasm")]

use guests::wasi::http::types::{Fields, OutgoingBody, OutgoingResponse};
use guests::{IncomingRequest, Query, ResponseOutparam, answer, write_all};

const BODY: &[u8] = b"0123456789";

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let lengths: &[&str] = match query.get("kind") {
        None => &[],
        Some("short" | "none") => &["20"],
        Some("long") => &["5"],
        Some("length") => &["ten"],
        Some("lengths") => &["10", "11"],
        Some(other) => panic!("no such kind: {other:?}"),
    };
    let status = query.number("status").unwrap_or(200) as u16;
    let has_body = query.get("kind") != Some("none");
    match respond(status, lengths, has_body) {
        Ok((response, body)) => {
            ResponseOutparam::set(out, Ok(response));
            body.map(write);
        }
        Err(refused) => answer(out, 200, &[], format!("the host refused the {refused}\n")),
    }
}

fn respond(
    status: u16,
    lengths: &[&str],
    has_body: bool,
) -> Result<(OutgoingResponse, Option<OutgoingBody>), &'static str> {
    let fields = Fields::new();
    for length in lengths {
        fields
            .append("content-length", length.as_bytes())
            .map_err(|_| "header")?;
    }
    let response = OutgoingResponse::new(fields);
    response.set_status_code(status).map_err(|()| "status")?;
    let body = has_body.then(|| response.body().map_err(|()| "body"));
    Ok((response, body.transpose()?))
}

fn write(body: OutgoingBody) {
    let stream = body.write().expect("the stream is asked for once");
    if let Err(error) = write_all(&stream, BODY) {
        eprintln!("writing: {error}");
    }
    drop(stream);
    if let Err(error) = OutgoingBody::finish(body, None) {
        eprintln!("finishing: {error}");
    }
}
