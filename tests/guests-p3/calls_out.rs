//! Requests `?url=` with `?method=` (GET), `?n=` times (1) one after the other, and answers with the
//! last response's status, location and body. Where there is none it answers 502 with the error.
//! With `?keep=1` it lets none of the responses' heads go before it answers.
//!
//! With `?upload=` it sends so many bytes along (and POST is the method), and with `?trap` it traps when half of them are
//! sent. With `?pass` it answers with the last response's own body, unread. It prints an error of the host's in sending.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::unreachable;

use guests_p3::wasip3::wit_stream;
use guests_p3::wit_bindgen::rt::async_support::StreamReader;
use guests_p3::{
    Answer, ErrorCode, Fields, Query, Request, Response, answer, call, consume_response, outgoing,
    spawn,
};

const PIECE: usize = 64 * 1024;

struct Fetched {
    status: u16,
    location: String,
    body: Vec<u8>,
    /// The fields of its head, which the host holds.
    _fields: Fields,
}

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let mut kept = Vec::new();
    for _ in 1..query.number("n").unwrap_or(1) {
        let fetched = fetch(&query).await;
        if query.get("keep").is_some() {
            kept.push(fetched);
        }
    }
    if query.get("pass").is_some() {
        return pass_on(&query).await;
    }
    match fetch(&query).await {
        Ok(fetched) => {
            let headers: &[_] = match fetched.location.as_str() {
                "" => &[],
                location => &[("location", location)],
            };
            answer(fetched.status, headers, fetched.body)
        }
        Err(error) => answer(502, &[], format!("{error:?}\n")),
    }
}

async fn fetch(query: &Query) -> Result<Fetched, ErrorCode> {
    let response = send(query).await?;
    let fields = response.get_headers();
    let location = fields.get("location").concat();
    let status = response.get_status_code();
    let (body, trailers) = consume_response(response);
    let body = body.collect().await;
    trailers.await?;
    Ok(Fetched {
        status,
        location: String::from_utf8_lossy(&location).into_owned(),
        body,
        _fields: fields,
    })
}

/// The response's own body as ours, unread.
async fn pass_on(query: &Query) -> Answer {
    let response = send(query).await?;
    let status = response.get_status_code();
    let (body, trailers) = consume_response(response);
    let (response, _) = Response::new(Fields::new(), Some(body), trailers);
    response
        .set_status_code(status)
        .expect("the host takes its own status");
    Ok(response)
}

async fn send(query: &Query) -> Result<Response, ErrorCode> {
    let upload = query.number("upload").map(|length| length as usize);
    let method = query.get("method").unwrap_or(match upload {
        Some(_) => "POST",
        None => "GET",
    });
    let url = query.get("url").expect("url must be given");
    let is_trapped = query.get("trap").is_some();
    let contents = upload.map(|length| generate(length, is_trapped));
    let (request, sent) = outgoing(method, url, contents)?;
    spawn(async move {
        if let Err(error) = sent.await {
            eprintln!("sending: {error:?}");
        }
    });
    call(request).await
}

/// A body of this length that is made while it is sent, or traps when half of it is.
fn generate(length: usize, is_trapped: bool) -> StreamReader<u8> {
    let (mut writer, reader) = wit_stream::new();
    spawn(async move {
        let mut left = length;
        while left > 0 {
            if is_trapped && left <= length / 2 {
                unreachable();
            }
            let piece = vec![b'x'; left.min(PIECE)];
            left -= piece.len();
            if !writer.write_all(piece).await.is_empty() {
                eprintln!("the host takes no more of the body");
                return;
            }
        }
    });
    reader
}
