//! Answers what HTTP does not allow: with `?status=` that status, or as `?kind=` says
//! - `short`: fewer bytes than declared, and the body finished;
//! - `long`: more bytes than declared;
//! - `none`: bytes declared, and no body;
//! - `length`: a content length that is no number;
//! - `lengths`: two content lengths.
//!
//! Where the host refuses it to the guest, the guest answers 200 and says so. It prints what the host says of the body.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::wit_stream;
use guests_p3::{Answer, Fields, Query, Request, Response, answer, no_trailers, spawn};

const BODY: &[u8] = b"0123456789";

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
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
        Ok(response) => Ok(response),
        Err(refused) => answer(200, &[], format!("the host refused the {refused}\n")),
    }
}

fn respond(status: u16, lengths: &[&str], has_body: bool) -> Result<Response, &'static str> {
    let fields = Fields::new();
    for length in lengths {
        fields
            .append("content-length", length.as_bytes())
            .map_err(|_| "header")?;
    }
    let (mut writer, reader) = wit_stream::new();
    let (response, sent) = Response::new(fields, has_body.then_some(reader), no_trailers());
    response.set_status_code(status).map_err(|()| "status")?;
    spawn(async move {
        if !writer.write_all(BODY.to_vec()).await.is_empty() {
            eprintln!("writing: the host takes no more");
        }
        drop(writer);
        if let Err(error) = sent.await {
            eprintln!("finishing: {error:?}");
        }
    });
    Ok(response)
}
