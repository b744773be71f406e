//! Writes a whole body of `?bytes=` bytes (10) in pieces of `?piece=` (64 KiB) and finishes it before it hands over the
//! message that it belongs to: its response, with `?status=` (200) and a `?length=` declared or none; or, with `?url=`, a
//! request, whose status it answers. With `?bodies=` it writes so many (1) and hands over the last. With `?set=first` it
//! hands over its response before it writes. With `?finish=0` it leaves the body unfinished.
//!
//! Then, as `?then=` says, it will `trap`, `exit`, `spin` or `allocate`.
#![cfg(target_family = "wasm")]

use guests::wasi::http::outgoing_handler;
use guests::wasi::http::types::{
    Fields, Method, OutgoingBody, OutgoingRequest, OutgoingResponse, Scheme,
};
use guests::{IncomingRequest, Query, ResponseOutparam, answer, burn, write_all};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    match query.get("url") {
        Some(url) => {
            let status = post(&query, url);
            answer(out, 200, &[], format!("{status}\n"));
        }
        None => respond(&query, out),
    }
    match query.get("then") {
        Some("trap") => core::arch::wasm32::unreachable(),
        Some("exit") => std::process::exit(3),
        Some("spin") => burn(u64::MAX / 1_000_000_000),
        Some("allocate") => drop(std::hint::black_box(vec![1_u8; 1 << 30])),
        Some(other) => panic!("it cannot {other}"),
        None => {}
    }
}

fn respond(query: &Query, out: ResponseOutparam) {
    let mut kept = Vec::new();
    for _ in 1..query.number("bodies").unwrap_or(1) {
        let response = OutgoingResponse::new(Fields::new());
        fill(query, response.body().expect("once"));
        kept.push(response);
    }
    let fields = Fields::new();
    if let Some(length) = query.get("length") {
        let set = fields.append("content-length", length.as_bytes());
        set.expect("the host takes the length");
    }
    let response = OutgoingResponse::new(fields);
    let status = query.number("status").unwrap_or(200) as u16;
    response
        .set_status_code(status)
        .expect("the host takes the status");
    let body = response.body().expect("the body is asked for once");
    if query.get("set") == Some("first") {
        ResponseOutparam::set(out, Ok(response));
        fill(query, body);
    } else {
        fill(query, body);
        ResponseOutparam::set(out, Ok(response));
    }
}

fn post(query: &Query, url: &str) -> u16 {
    let authority = url.strip_prefix("http://").expect("it speaks plain HTTP");
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Post).expect("valid");
    request.set_scheme(Some(&Scheme::Http)).expect("valid");
    request.set_authority(Some(authority)).expect("valid");
    request.set_path_with_query(Some("/")).expect("valid");
    fill(query, request.body().expect("once"));
    let future = outgoing_handler::handle(request, None).expect("allowed");
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => response.status(),
        other => panic!("no response: {other:?}"),
    }
}

fn fill(query: &Query, body: OutgoingBody) {
    let stream = body.write().expect("the stream is asked for once");
    let piece = vec![b'x'; query.number("piece").unwrap_or(64 * 1024) as usize];
    let mut left = query.number("bytes").unwrap_or(10) as usize;
    while left > 0 {
        let now = left.min(piece.len());
        if let Err(error) = write_all(&stream, &piece[..now]) {
            eprintln!("writing: {error}");
            break;
        }
        left -= now;
    }
    drop(stream);
    if query.get("finish") == Some("0") {
        drop(body);
    } else if let Err(error) = OutgoingBody::finish(body, None) {
        eprintln!("finishing: {error}");
    }
}
