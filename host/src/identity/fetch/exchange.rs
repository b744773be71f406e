//! One request on a connection of its own, and its answer, bounded in size.

use bytes::Bytes;
use host_tokens::LONGEST_DOCUMENT;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::FetchError;
use host_sandbox::outbound::tls_failure;

/// Sends `request` and reads the answer, which has to be a document. Redirections are not followed.
pub(super) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    url: &Uri,
) -> Result<(HeaderMap, Bytes), FetchError> {
    let failed = |error: &(dyn std::error::Error + 'static)| FetchError::Failed {
        url: url.to_string(),
        reason: tls_failure::all_causes(error),
    };
    let handshake = http1::Builder::new().handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let connection = tokio::spawn(connection);
    let exchange = async {
        let response = sender.send_request(request).await;
        let (head, body) = response.map_err(|error| failed(&error))?.into_parts();
        if head.status != StatusCode::OK {
            return Err(FetchError::Status {
                url: url.to_string(),
                status: head.status,
            });
        }
        let body = Limited::new(body, LONGEST_DOCUMENT).collect().await;
        let body = body.map_err(|error| failed(&*error))?.to_bytes();
        Ok((head.headers, body))
    };
    let exchanged = exchange.await;
    connection.abort();
    exchanged
}
