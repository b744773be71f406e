//! One connection, from its handshake to its last byte.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_rustls::TlsAcceptor;

use super::batched::Batched;
use super::h2::stream_task::{NextStream, StreamExecutor};
use super::h2::streams::Streams;
use super::h2::watched_body::WatchedBody;
use super::protocol::Protocol;
use crate::lingering::{self, KeptOpen};
use crate::serve::drain::Drain;
use crate::serve::request::body::Body;
use crate::serve::request::invoke::Invoker;
use crate::serve::request::peer::Peer;
use crate::serve::request::upload::{GivenUp, Upload};
use crate::timed::Timed;

/// The largest request head, in bytes, and the most fields in it.
const HEAD_BYTES: usize = 64 * 1024;
const HEAD_FIELDS: usize = 100;
/// HTTP/2 streams that a client may open and reset before they were answered, against CVE-2023-44487 and its kin.
const PENDING_RESETS: usize = 20;
const LOCAL_RESETS: usize = 256;
/// How much of a response hyper buffers for one HTTP/2 stream, in bytes.
const STREAM_SEND_BUFFER: usize = 64 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long a drain waits for a client that has asked for nothing.
const DRAIN_GRACE: Duration = Duration::from_secs(1);

/// What is sent to a client that was too slow with the request head (RFC 9110, section 15.5.9).
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 29\r\n\r\nThe request came too slowly.\n";

/// Bounds of each connection.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct Bounds {
    pub(in crate::serve) header_timeout: Duration,
    pub(in crate::serve) stall_timeout: Duration,
    pub(in crate::serve) streams: u32,
}

/// Serves one client until it goes, or the drain ends it.
pub(in crate::serve) struct Connection {
    pub(in crate::serve) invoker: Arc<Invoker>,
    pub(in crate::serve) bounds: Bounds,
    pub(in crate::serve) drain: Drain,
}

impl Connection {
    /// Serves `stream`. How it ended concerns nobody: a broken connection is the client's affair.
    pub(in crate::serve) async fn serve(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Small answers should leave at once. A socket that cannot be told so still works.
        let _ = stream.set_nodelay(true);
        // A client that is gone already wants nothing.
        let Ok(peer) = self.invoker.peer(&stream) else {
            return;
        };
        let peer = Arc::new(peer);
        match tls {
            None => {
                if let Some(Ok((protocol, io))) = self.in_time(Protocol::detect(stream)).await {
                    self.serve_http(protocol, io, peer).await;
                }
            }
            Some(tls) => match self.in_time(tls.accept(stream)).await {
                Some(Ok(stream)) => {
                    let protocol = Protocol::from_alpn(stream.get_ref().1.alpn_protocol());
                    self.serve_http(protocol, stream, peer).await;
                }
                Some(Err(error)) => {
                    tracing::debug!("the TLS handshake of {} failed: {error}", peer.address());
                }
                None => {}
            },
        }
    }

    /// The result of `beginning`, unless the client lets it wait: for a bound of its own, and for less in a drain.
    async fn in_time<T>(&self, beginning: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = beginning => Some(result),
            () = tokio::time::sleep(self.bounds.header_timeout) => None,
            () = drained(self.drain.clone()) => None,
        }
    }

    async fn serve_http<IO>(self, protocol: Protocol, io: IO, peer: Arc<Peer>)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = Batched::new(Timed::new(io, self.bounds.stall_timeout));
        match protocol {
            Protocol::Http1 => self.serve_http1(io, peer).await,
            Protocol::Http2 => self.serve_http2(io, peer).await,
        }
    }

    async fn serve_http1<IO>(mut self, io: IO, peer: Arc<Peer>)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let given_up = GivenUp::default();
        let (invoker, uploads) = (Arc::clone(&self.invoker), given_up.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (invoker, uploads) = (Arc::clone(&invoker), uploads.clone());
            let peer = Arc::clone(&peer);
            Box::pin(async move {
                let mut response = invoker.invoke(peer, uploads.watch(request)).await?;
                suit_http1(&mut response, uploads.is_set());
                Ok::<_, Infallible>(response)
            })
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.bounds.header_timeout)
            .max_headers(HEAD_FIELDS)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(KeptOpen::new(io)), service);
        let mut draining = false;
        let ended = loop {
            tokio::select! {
                // A response that is written in a drain must say that the connection ends with it.
                biased;
                () = self.drain.begun(), if !draining => {
                    draining = true;
                    std::pin::Pin::new(&mut connection).graceful_shutdown();
                }
                ended = &mut connection => break ended,
            }
        };
        let parts = connection.into_parts();
        let mut io = parts.io.into_inner().into_inner();
        // A client that had begun a head is told what it did wrong; one that lay idle is not.
        let too_slow =
            matches!(&ended, Err(error) if error.is_timeout()) && !parts.read_buf.is_empty();
        if too_slow {
            // The client may be gone already.
            let _ = io.write_all(TOO_SLOW).await;
        }
        if ended.is_err() || given_up.is_set() || !parts.read_buf.is_empty() {
            tokio::select! {
                () = lingering::close(&mut io) => {}
                () = drained(self.drain) => {}
            }
        } else {
            let _ = io.shutdown().await;
        }
    }

    async fn serve_http2<IO>(mut self, io: IO, peer: Arc<Peer>)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let invoker = Arc::clone(&self.invoker);
        let streams = Arc::new(Streams::default());
        let next = NextStream::new(Arc::clone(&streams));
        let executor = StreamExecutor::new(
            self.bounds.stall_timeout,
            Arc::clone(&streams),
            next.clone(),
        );
        let service = service_fn(move |request: Request<Incoming>| {
            let watch = next.begin();
            let answer = Arc::clone(&invoker).invoke(Arc::clone(&peer), request.map(Upload::from));
            async {
                let response = suit_http2(answer.await?);
                Ok::<_, Infallible>(response.map(|body| WatchedBody::new(body, watch)))
            }
        });
        let connection = http2::Builder::new(executor)
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.bounds.streams)
            .max_header_list_size(HEAD_BYTES as u32)
            .max_pending_accept_reset_streams(PENDING_RESETS)
            .max_local_error_reset_streams(LOCAL_RESETS)
            .max_send_buf_size(STREAM_SEND_BUFFER)
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .serve_connection(TokioIo::new(io), service);
        let mut connection = pin!(connection);
        let mut looks = every(self.bounds.header_timeout);
        looks.tick().await;
        let mut before = None;
        let mut still_since = Instant::now();
        let mut told = false;
        loop {
            let end = tokio::select! {
                biased;
                _ended = connection.as_mut() => return,
                () = self.drain.begun(), if !told => true,
                _ = looks.tick() => {
                    let now = streams.moves_if_idle();
                    let is_still = now.is_some() && now == before;
                    if !is_still {
                        before = now;
                        still_since = Instant::now();
                    }
                    // A client that has yet to take some of its answers is given time to.
                    is_still && (!streams.has_unsent() || still_since.elapsed() >= self.bounds.stall_timeout)
                }
            };
            match (end, told) {
                (false, _) => {}
                (true, false) => {
                    told = true;
                    looks = every(DRAIN_GRACE);
                    looks.tick().await;
                    connection.as_mut().graceful_shutdown();
                }
                // It has been told, and does not go.
                (true, true) => return,
            }
        }
    }
}

/// Ticks that stay apart, however late one of them is noticed. The first one comes at once.
fn every(period: Duration) -> Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Resolves when a drain has begun, and a client that it need not wait for has had its time.
async fn drained(mut drain: Drain) {
    drain.begun().await;
    tokio::time::sleep(DRAIN_GRACE).await;
}

/// Leaves away the length that a response declares which can have none. Clients take it for a fault of the stream.
fn suit_http2(mut response: Response<Body>) -> Response<Body> {
    if response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

/// Says with `response` that the connection will be closed, if it will, and keeps the length that it declares.
fn suit_http1(response: &mut Response<Body>, is_last: bool) {
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    let is_bodiless = matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if is_bodiless && response.headers().contains_key(header::CONTENT_LENGTH) {
        response.body_mut().declare();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canned_answer_has_the_length_it_says() {
        let text = std::str::from_utf8(TOO_SLOW).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
    }
}
