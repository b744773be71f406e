//! The control-plane listener. It has a thread of its own and answers whatever the workers do.
//!
//! It listens on loopback unless told otherwise. A page in a browser on the same machine can reach it too, under a name
//! that its author has made lead here (DNS rebinding); so a request has to name the listener by an address, by
//! `localhost` or by a name that the operator has given.
//!
//! Whoever holds all of its connections, or all descriptors of the process, keeps nobody else out: the oldest connection
//! gives way, and there are descriptors in store.

mod answer;
mod file;
mod methods;
mod names;
mod negotiation;
mod open;
mod parts;
pub(crate) mod socket;
mod spares;
mod text_format;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use serde_json::Value;

use crate::api::{Principal, Status};
use crate::lingering::{self, KeptOpen};
use crate::timed::Timed;
use methods::Source;
pub(crate) use methods::{Door, OWN_CLIENT};
pub(crate) use names::Names;
use open::{Open, Standing};
use spares::{Refill, Spares};

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long accepting pauses when there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// What the control plane tells of.
pub(crate) trait Subject: Send + Sync + 'static {
    /// What is not as it should be, a line each.
    fn problems(&self) -> Vec<String>;

    /// What else is to be known, though the host can serve, a line each.
    fn notes(&self) -> Vec<String>;

    /// The discovery document of the host's own issuer, if it has one.
    fn discovery(&self) -> Option<String>;

    /// The public keys of the host's own issuer, if it has one.
    fn keys(&self) -> Option<String>;

    /// What is counted, in the OpenMetrics text format.
    fn metrics(&self) -> String;

    /// Exchanges an outside issuer's token for an access token (RFC 8693): the status of HTTP, and the document.
    fn exchange(&self, form: &[u8]) -> impl Future<Output = (u16, Value)> + Send;

    /// Who calls with this access token.
    fn principal(&self, token: &str) -> impl Future<Output = Result<Principal, Status>> + Send;
}

/// A control plane that listens and does not answer yet.
pub(crate) struct Console(std::net::TcpListener);

/// Listens on `addr`.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<Console> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    Ok(Console(listener))
}

/// One that somebody else opened, and that does not block.
impl From<std::net::TcpListener> for Console {
    fn from(listener: std::net::TcpListener) -> Self {
        Self(listener)
    }
}

impl Console {
    /// The address that it listens on.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// What the control plane answers with.
pub(crate) struct Answering<S> {
    /// The names that it goes by.
    pub(crate) names: Names,
    /// The process that it tells of.
    pub(crate) subject: S,
    /// The way to the methods, or why there is none here.
    pub(crate) door: Result<Arc<Door>, String>,
    /// Why methods do not answer on the listener, though they may on the socket.
    pub(crate) listener_refusal: Option<String>,
    /// How TLS is spoken, if it is.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Answers until dropped.
///
/// # Errors
/// When the system does not let it wait for connections.
pub(crate) fn serve(
    console: Console,
    answering: Arc<Answering<impl Subject>>,
) -> io::Result<impl Future<Output = ()>> {
    let listener = TcpListener::from_std(console.0)?;
    Ok(accept(listener, answering))
}

async fn accept(listener: TcpListener, answering: Arc<Answering<impl Subject>>) {
    let mut open = Open::default();
    let spares = Spares::new();
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let refill = Refill(Arc::clone(&spares));
                let standing = Standing::default();
                let answering = Arc::clone(&answering);
                let connection = connection(stream, client, answering, (standing.clone(), refill));
                open.add(tokio::spawn(connection).abort_handle(), standing);
            }
            // Out of descriptors, most likely. Others hold them; the control plane answers all the same.
            Err(_) if spares.give_up_one() => {}
            // The descriptor of the oldest connection is free, and in store, when its task has ended.
            Err(_) if open.cut_oldest() => tokio::task::yield_now().await,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Answers on a connection of the listener.
async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    answering: Arc<Answering<impl Subject>>,
    // The second is dropped after the connection.
    (standing, _refill): (Standing, Refill),
) {
    let source = Source::Listener {
        address: client.ip(),
        is_tls: answering.tls.is_some(),
    };
    let stream = Timed::new(stream, STALL_TIMEOUT);
    match &answering.tls {
        None => answer(stream, &answering, source, &standing).await,
        Some(tls) => {
            let handshake = tokio::time::timeout(HEADER_TIMEOUT, tls.accept(stream));
            // A client that speaks no TLS, or not ours, learns so by the alert.
            if let Ok(Ok(stream)) = handshake.await {
                answer(stream, &answering, source, &standing).await;
            }
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    answering: &Answering<impl Subject>,
    source: Source,
    standing: &Standing,
) {
    // The connection ends with a request whose body is not read.
    let has_upload = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| async {
        let mut answered = answer::respond(request, answering, source, standing).await;
        if answered.is_unread {
            has_upload.store(true, Ordering::Relaxed);
            let close = HeaderValue::from_static("close");
            let headers = answered.answer.headers_mut();
            headers.insert(header::CONNECTION, close);
        }
        Ok::<_, Infallible>(answered.answer)
    });
    let io = KeptOpen::new(stream);
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(io), service);
    // A broken connection is the client's affair.
    let _ = (&mut connection).await;
    let mut stream = connection.into_parts().io.into_inner().into_inner();
    match has_upload.load(Ordering::Relaxed) {
        true => lingering::close(&mut stream).await,
        false => drop(stream.shutdown().await),
    }
}
