//! Requests `?url=` with `?method=` (GET), `?n=` times (1) one after the other, and answers with the
//! last response's status, location and body. Where there is none it answers 502 with the error.
//! With `?keep=1` it lets none of the responses go before it answers.
#![cfg(target_family = "wasm")]

use guests::wasi::http::outgoing_handler;
use guests::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingRequest, Scheme,
};
use guests::wasi::io::streams::StreamError;
use guests::{IncomingRequest, Query, ResponseOutparam, answer};

struct Fetched {
    status: u16,
    location: String,
    body: Vec<u8>,
    /// With the fields of its head, which the host holds.
    _response: IncomingResponse,
}

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let url = query.get("url").expect("url must be given");
    let method = query.get("method").unwrap_or("GET");
    let mut kept = Vec::new();
    for _ in 1..query.number("n").unwrap_or(1) {
        let fetched = fetch(method, url);
        if query.get("keep").is_some() {
            kept.push(fetched);
        }
    }
    match fetch(method, url) {
        Ok(fetched) => {
            let headers: &[_] = match fetched.location.as_str() {
                "" => &[],
                location => &[("location", location)],
            };
            answer(out, fetched.status, headers, fetched.body);
        }
        Err(error) => answer(out, 502, &[], format!("{error:?}\n")),
    }
}

fn fetch(method: &str, url: &str) -> Result<Fetched, ErrorCode> {
    let future = outgoing_handler::handle(outgoing(method, url)?, None)?;
    future.subscribe().block();
    let response = match future.get() {
        Some(Ok(response)) => response?,
        other => panic!("a ready response is none: {other:?}"),
    };
    let location = response.headers().get("location").concat();
    Ok(Fetched {
        status: response.status(),
        location: String::from_utf8_lossy(&location).into_owned(),
        body: read(&response)?,
        _response: response,
    })
}

fn outgoing(method: &str, url: &str) -> Result<OutgoingRequest, ErrorCode> {
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    let (scheme, rest) = url
        .split_once("://")
        .ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&method_named(method)).map_err(invalid)?;
    request
        .set_scheme(Some(&scheme_named(scheme)))
        .map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(path)).map_err(invalid)?;
    Ok(request)
}

fn method_named(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme_named(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

fn read(response: &IncomingResponse) -> Result<Vec<u8>, ErrorCode> {
    let incoming = response.consume().expect("the body is asked for once");
    let stream = incoming.stream().expect("the stream is asked for once");
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(ErrorCode::InternalError(Some(error.to_debug_string())));
            }
        }
    }
}
