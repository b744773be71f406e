//! HTTP/2, frame by frame where a specification needs it.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Error, Reason, RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;

use crate::{Certificate, PATIENCE, Reply};

/// A connection that speaks HTTP/2.
pub struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), Error>>,
    authority: String,
}

/// One request and its response.
pub struct Stream {
    runtime: Handle,
    sending: SendStream<Bytes>,
    response: Option<ResponseFuture>,
    body: Option<RecvStream>,
}

impl fmt::Debug for Http2 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Http2").finish_non_exhaustive()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Http2 {
    /// Connects to `addr` and speaks HTTP/2 from the first byte (RFC 9113, section 3.3).
    #[track_caller]
    pub fn connect(addr: SocketAddr) -> Self {
        Self::connect_with(addr, &Builder::new())
    }

    /// As [`connect`](Self::connect), with the client's settings in `builder`.
    #[track_caller]
    pub fn connect_with(addr: SocketAddr, builder: &Builder) -> Self {
        let runtime = runtime();
        let socket = within(runtime.handle(), TcpStream::connect(addr));
        let socket = socket.unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        Self::over(runtime, socket, builder, addr.to_string())
    }

    /// Connects with TLS and offers `h2` alone.
    #[track_caller]
    pub fn connect_tls(addr: SocketAddr, certificate: &Certificate) -> Self {
        let runtime = runtime();
        let connect = async {
            let socket = TcpStream::connect(addr).await?;
            let connector = tokio_rustls::TlsConnector::from(certificate.client(&["h2"]));
            connector.connect(Certificate::server_name(), socket).await
        };
        let socket = within(runtime.handle(), connect)
            .unwrap_or_else(|error| panic!("no TLS connection to {addr}: {error}"));
        assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self::over(runtime, socket, &Builder::new(), addr.to_string())
    }

    #[track_caller]
    fn over<IO>(runtime: Runtime, io: IO, builder: &Builder, authority: String) -> Self
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = within(runtime.handle(), builder.handshake(io));
        let (sender, connection) = handshake.unwrap_or_else(|error| panic!("no HTTP/2: {error}"));
        let connection = runtime.spawn(connection);
        Self {
            runtime,
            sender,
            connection,
            authority,
        }
    }

    /// Has requests name `authority`, in place of the address.
    #[must_use]
    pub fn naming(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    /// GET, read whole.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.start("GET", path).finish().read_reply()
    }

    /// POST, read whole.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        let mut stream = self.start("POST", path);
        stream.send(body);
        stream.finish().read_reply()
    }

    /// Begins a request without fields; its body is still to be sent or finished.
    #[track_caller]
    pub fn start(&self, method: &str, path: &str) -> Stream {
        self.start_with(method, path, &[])
    }

    /// Begins a request with `fields`.
    #[track_caller]
    pub fn start_with(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Stream {
        match self.try_start(method, path, fields) {
            Ok(stream) => stream,
            Err(error) => panic!("no stream: {error}"),
        }
    }

    /// Begins a request if the connection takes another, waiting for the host's leave.
    ///
    /// # Errors
    /// When the connection has ended or is going away.
    pub fn try_start(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Stream, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.authority));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("the specification's own request");
        let sender = self.sender.clone();
        let mut sender = within(self.runtime.handle(), sender.ready())?;
        let _inside = self.runtime.enter();
        let (response, sending) = sender.send_request(request, false)?;
        Ok(Stream {
            runtime: self.runtime.handle().clone(),
            sending,
            response: Some(response),
            body: None,
        })
    }

    /// How many streams the host allows at once, once it has said so.
    pub fn max_streams(&self) -> usize {
        self.sender.current_max_send_streams()
    }

    /// How the connection ends, which it must although the client has not done with it.
    ///
    /// # Errors
    /// When it does not end in good order.
    #[track_caller]
    pub fn ended(self) -> Result<(), Error> {
        let ended = within(self.runtime.handle(), self.connection);
        ended.unwrap_or_else(|error| panic!("the connection's task ended: {error}"))
    }
}

impl Stream {
    /// Sends a piece of the body.
    #[track_caller]
    pub fn send(&mut self, data: impl Into<Bytes>) {
        let mut data = data.into();
        while !data.is_empty() {
            self.sending.reserve_capacity(data.len());
            let sending = &mut self.sending;
            let capacity = std::future::poll_fn(|cx| sending.poll_capacity(cx));
            let room = match within(&self.runtime, capacity) {
                Some(Ok(room)) => room.min(data.len()),
                other => panic!("the host takes no more of the body: {other:?}"),
            };
            if let Err(error) = self.sending.send_data(data.split_to(room), false) {
                panic!("the host takes no more of the body: {error}");
            }
        }
    }

    /// Ends the body.
    #[must_use]
    pub fn finish(mut self) -> Self {
        // A host that has answered early may have closed the stream.
        let _ = self.sending.send_data(Bytes::new(), true);
        self
    }

    /// Ends the body with trailers.
    #[must_use]
    #[track_caller]
    pub fn finish_with(mut self, trailers: HeaderMap) -> Self {
        if let Err(error) = self.sending.send_trailers(trailers) {
            panic!("the host takes no trailers: {error}");
        }
        self
    }

    /// Resets the stream, as a client does that wants no answer any more.
    pub fn reset(mut self) {
        self.sending.send_reset(Reason::CANCEL);
    }

    /// Reads the response whole.
    #[track_caller]
    pub fn read_reply(mut self) -> Reply {
        match self.try_read_reply() {
            (reply, None) => reply,
            (reply, Some(error)) => panic!("the response was cut: {error}: {reply:?}"),
        }
    }

    /// Reads the response whole, unless the host refuses the request or cuts the response.
    ///
    /// # Errors
    /// The host's reason.
    #[track_caller]
    pub fn answer(mut self) -> Result<Reply, Error> {
        match self.try_read_reply() {
            (reply, None) => Ok(reply),
            (_, Some(error)) => Err(error),
        }
    }

    /// Reads a response that breaks off: what came of it, and the reason that the host gave.
    #[track_caller]
    pub fn read_cut_reply(mut self) -> (Reply, Reason) {
        cut(self.try_read_reply())
    }

    /// As [`read_cut_reply`](Self::read_cut_reply), after the head.
    #[track_caller]
    pub fn read_cut_rest(mut self) -> (Reply, Reason) {
        cut(self.try_read_rest(Reply::default()))
    }

    /// Reads the head of the response.
    #[track_caller]
    pub fn read_head(&mut self) -> Reply {
        match self.try_read_head() {
            Ok(head) => head,
            Err(error) => panic!("no response head: {error}"),
        }
    }

    /// Reads the next piece of the body, after the head; `None` at its end.
    #[track_caller]
    pub fn read_data(&mut self) -> Option<Bytes> {
        match self.try_read_data() {
            Some(Ok(data)) => Some(data),
            Some(Err(error)) => panic!("the body was cut: {error}"),
            None => None,
        }
    }

    /// What was read until the end or the error.
    fn try_read_reply(&mut self) -> (Reply, Option<Error>) {
        match self.try_read_head() {
            Ok(head) => self.try_read_rest(head),
            Err(error) => (Reply::default(), Some(error)),
        }
    }

    fn try_read_rest(&mut self, mut reply: Reply) -> (Reply, Option<Error>) {
        while let Some(data) = self.try_read_data() {
            match data {
                Ok(data) => reply.body.extend_from_slice(&data),
                Err(error) => return (reply, Some(error)),
            }
        }
        let body = self.body.as_mut().expect("the head was read");
        match within(&self.runtime, body.trailers()) {
            Ok(trailers) => {
                reply.trailers = fields(&trailers.unwrap_or_default());
                (reply, None)
            }
            Err(error) => (reply, Some(error)),
        }
    }

    fn try_read_head(&mut self) -> Result<Reply, Error> {
        let response = self.response.take().expect("a response has one head");
        let (head, body) = within(&self.runtime, response)?.into_parts();
        self.body = Some(body);
        Ok(Reply {
            status: head.status.as_u16(),
            headers: fields(&head.headers),
            ..Reply::default()
        })
    }

    fn try_read_data(&mut self) -> Option<Result<Bytes, Error>> {
        let body = self.body.as_mut().expect("the head is read first");
        loop {
            let data = within(&self.runtime, body.data())?;
            if let Ok(data) = &data {
                // Fails only when the stream is gone, which the next read tells.
                let _ = body.flow_control().release_capacity(data.len());
            }
            // An empty frame carries the end of the stream and no piece.
            if !data.as_ref().is_ok_and(Bytes::is_empty) {
                return Some(data);
            }
        }
    }
}

#[track_caller]
fn cut((reply, error): (Reply, Option<Error>)) -> (Reply, Reason) {
    let Some(error) = error else {
        panic!("the response is whole: {reply:?}");
    };
    match error.reason() {
        Some(reason) => (reply, reason),
        None => panic!("no reason is given: {error}"),
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("the system gives a thread")
}

#[track_caller]
fn within<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let bounded = runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await });
    bounded.unwrap_or_else(|_| panic!("nothing happened for {PATIENCE:?}"))
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}
