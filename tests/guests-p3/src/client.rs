use crate::{ErrorCode, Fields, Request, Response, no_trailers};
use wasip3::http::types::{Method, Scheme, Trailers};
use wasip3::wit_bindgen::rt::async_support::{FutureReader, StreamReader};
use wasip3::wit_future;

/// A request to `url` with this body, and what tells in time whether it was sent.
///
/// # Errors
/// If the host refuses a part of it.
pub fn outgoing(
    method: &str,
    url: &str,
    contents: Option<StreamReader<u8>>,
) -> Result<(Request, FutureReader<Result<(), ErrorCode>>), ErrorCode> {
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    let (scheme, rest) = url
        .split_once("://")
        .ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (request, sent) = Request::new(Fields::new(), contents, no_trailers(), None);
    request.set_method(&method_named(method)).map_err(invalid)?;
    request
        .set_scheme(Some(&scheme_named(scheme)))
        .map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(path)).map_err(invalid)?;
    Ok((request, sent))
}

/// The body of `response` and the trailers that follow it.
pub fn consume_response(
    response: Response,
) -> (
    StreamReader<u8>,
    FutureReader<Result<Option<Trailers>, ErrorCode>>,
) {
    // Nobody is told of an error: a writer that is dropped writes the default.
    let (_, done) = wit_future::new(|| Ok(()));
    Response::consume_body(response, done)
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
