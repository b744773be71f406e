use crate::{ErrorCode, Query, Request};
use wasip3::http::types::Trailers;
use wasip3::wit_bindgen::rt::async_support::{FutureReader, StreamReader};
use wasip3::wit_future;

impl Query {
    /// Reads the query of `request`.
    pub fn of(request: &Request) -> Self {
        Self::parse(&request.get_path_with_query().unwrap_or_default())
    }
}

/// The path of `request`, without its query.
pub fn path(request: &Request) -> String {
    let mut target = request.get_path_with_query().unwrap_or_default();
    target.truncate(target.find('?').unwrap_or(target.len()));
    target
}

/// The body of `request` and the trailers that follow it.
pub fn consume(
    request: Request,
) -> (
    StreamReader<u8>,
    FutureReader<Result<Option<Trailers>, ErrorCode>>,
) {
    // Nobody is told of an error: a writer that is dropped writes the default.
    let (_, done) = wit_future::new(|| Ok(()));
    Request::consume_body(request, done)
}

/// The whole body of `request`.
///
/// # Errors
/// If the body broke off.
pub async fn read_to_end(request: Request) -> Result<Vec<u8>, ErrorCode> {
    let (body, trailers) = consume(request);
    let bytes = body.collect().await;
    trailers.await.map(|_| bytes)
}
