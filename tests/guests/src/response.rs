use crate::ResponseOutparam;
use crate::wasi::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingResponse, Trailers};
use crate::wasi::io::streams::{OutputStream, StreamError};

/// Answers with a whole response.
pub fn answer(
    out: ResponseOutparam,
    status: u16,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) {
    let outgoing = start(out, status, headers);
    if let Ok(stream) = outgoing.write() {
        let _ = write_all(&stream, body.as_ref());
    }
    let _ = finish(outgoing, None);
}

/// Sends the head of a response, its body to follow.
///
/// # Panics
/// If the host refuses the status or a header.
pub fn start(out: ResponseOutparam, status: u16, headers: &[(&str, &str)]) -> OutgoingBody {
    let fields: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    let fields = Fields::from_list(&fields).expect("the host takes the headers");
    let response = OutgoingResponse::new(fields);
    response
        .set_status_code(status)
        .expect("the host takes the status");
    let body = response.body().expect("the body is asked for once");
    ResponseOutparam::set(out, Ok(response));
    body
}

/// Ends a body. Its stream must have been dropped.
///
/// # Errors
/// What the host finds wrong with the body, such as another length than was declared.
pub fn finish(body: OutgoingBody, trailers: Option<Trailers>) -> Result<(), ErrorCode> {
    OutgoingBody::finish(body, trailers)
}

/// Writes all of `bytes` as the host takes them.
///
/// # Errors
/// The stream's: closed when the caller has gone away.
pub fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let permit = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if permit == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, rest) = bytes.split_at(permit.min(bytes.len()));
        stream.write(now)?;
        bytes = rest;
    }
    Ok(())
}
