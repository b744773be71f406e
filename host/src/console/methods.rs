//! Methods of the control plane, called over HTTP.

use std::fs::File;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Subject;
use super::answer::Answer;
use super::file;
use super::open::{InCall, Standing};
use super::parts::Parts;
use crate::api::{Api, Call, Caller, Code, Principal, Reply, Status};
use crate::archive::LARGEST_UPLOAD;
use crate::identity::LONGEST_FORM;

/// Methods that run at once. Each takes a thread; beyond that callers wait.
const CALLS: usize = 16;
/// Large bodies that are read at once: they are held in memory.
const LARGE_BODIES: usize = 4;
/// From how many bytes on a body is a large one.
const LARGE: usize = 10 << 20;
/// How long a whole body may take.
const BODY_TIME: Duration = Duration::from_secs(10 * 60);
/// How long a call waits for its turn.
const TURN: Duration = Duration::from_secs(30);
/// How long a client may pause within a body.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest name of a client that is kept, in bytes.
const LONGEST_AGENT: usize = 256;
/// What a command of this program sends along.
pub(crate) const OWN_CLIENT: &str = "x-host-client";

/// The way to the methods.
pub(crate) struct Door {
    api: Arc<Api>,
    calls: Arc<Semaphore>,
    large_bodies: Arc<Semaphore>,
}

/// From where a request came.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The socket in the state directory, from a process of its owner.
    Socket,
    /// The listener.
    Listener {
        /// The client's address.
        address: IpAddr,
        /// Whether it came over TLS.
        is_tls: bool,
    },
}

/// What is answered, and whether there is more of the request's body to be read.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) is_unread: bool,
}

/// Whether a path is one of a method.
pub(super) fn is_method(path: &str) -> bool {
    ["/v1/", "/v2/", "/host/v1/", "/upload/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
        || path == TOKEN
}

/// Where Google's clients ask for tokens, beside [`TOKEN_EXCHANGE`].
const TOKEN: &str = "/token";
/// Where tokens are exchanged. Whoever asks has no access token yet.
const TOKEN_EXCHANGE: &str = "/v1/token";
/// Where components and sources are sent to. Whoever knows such a path may, once and for ten minutes.
const UPLOAD: &str = "/upload/";

impl Door {
    /// The way to the methods of `api`.
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            calls: Arc::new(Semaphore::new(CALLS)),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)),
        }
    }

    /// Answers a call.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        source: Source,
        subject: &impl Subject,
        standing: &Standing,
    ) -> Answered {
        let mut is_unread = !request.body().is_end_stream();
        let is_for_token = matches!(request.uri().path(), TOKEN | TOKEN_EXCHANGE);
        if is_for_token && request.method() == Method::POST {
            let answer = self.exchange(request, subject, &mut is_unread).await;
            return Answered {
                answer: answer.unwrap_or_else(|status| refused(&status)),
                is_unread,
            };
        }
        let upload = request.uri().path().strip_prefix(UPLOAD).map(str::to_owned);
        let called = match upload.filter(|_| request.method() == Method::PUT) {
            Some(id) => {
                let putting = self.upload(request, id, (standing, &mut is_unread));
                putting.await
            }
            None => {
                let calling = self.call(request, source, subject, (standing, &mut is_unread));
                calling.await
            }
        };
        let answer = match called {
            Ok((Reply::Json(document), _)) => json(StatusCode::OK, document.to_string()),
            Ok((Reply::File(kind, file), in_call)) => of_file(kind, file, in_call),
            Ok((Reply::Stream(stream), in_call)) => {
                let body = Either::Right(Parts {
                    parts: stream.parts,
                    _in_call: in_call,
                });
                with_body(StatusCode::OK, stream.kind, body)
            }
            Err(status) => refused(&status),
        };
        Answered { answer, is_unread }
    }

    async fn exchange(
        &self,
        request: Request<Incoming>,
        subject: &impl Subject,
        is_unread: &mut bool,
    ) -> Result<Answer, Status> {
        let form = read(request.into_body(), LONGEST_FORM).await?;
        *is_unread = false;
        // Without a turn: it may wait for an issuer's keys.
        let (status, document) = subject.exchange(&form).await;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(json(status, document.to_string()))
    }

    /// Keeps what a client sends to a path that it was given for that.
    async fn upload(
        &self,
        request: Request<Incoming>,
        id: String,
        (standing, is_unread): (&Standing, &mut bool),
    ) -> Result<(Reply, InCall), Status> {
        let (api, checked) = (Arc::clone(&self.api), id.clone());
        // Before any of it is read.
        self.blocking(move || api.check_upload(&checked)).await?;
        let in_call = standing.begin();
        let _large = self.room_for(LARGEST_UPLOAD).await?;
        let bytes = read(request.into_body(), LARGEST_UPLOAD).await?;
        *is_unread = false;
        let api = Arc::clone(&self.api);
        self.blocking(move || api.upload(&id, bytes)).await?;
        Ok((serde_json::json!({}).into(), in_call))
    }

    async fn call(
        &self,
        request: Request<Incoming>,
        source: Source,
        subject: &impl Subject,
        (standing, is_unread): (&Standing, &mut bool),
    ) -> Result<(Reply, InCall), Status> {
        let (head, body) = request.into_parts();
        let (principal, address) = match source {
            Source::Socket => (Principal::Owner, None),
            Source::Listener { address, .. } => {
                let principal = subject.principal(bearer(&head.headers)?).await?;
                (principal, Some(address))
            }
        };
        let in_call = standing.begin();
        let caller = Caller {
            principal,
            address,
            user_agent: text(&head.headers, header::USER_AGENT.as_str()),
        };
        // Before the body is read, which may be a large one.
        let (api, asking) = (Arc::clone(&self.api), caller.clone());
        let (verb, path) = (head.method.clone(), head.uri.path().to_owned());
        let most = self
            .blocking(move || api.check(&asking, verb.as_str(), &path))
            .await?;
        let _large = self.room_for(most).await?;
        let body = read(body, most).await?;
        *is_unread = false;
        let api = Arc::clone(&self.api);
        let origin = origin(&head, source);
        let is_own_client = head.headers.contains_key(OWN_CLIENT);
        let called = self.blocking(move || {
            let call = Call {
                verb: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                body,
                origin,
                is_own_client,
            };
            api.call(&caller, call)
        });
        Ok((called.await?, in_call))
    }

    /// Waits until a body of up to `most` bytes may be held in memory.
    async fn room_for(&self, most: usize) -> Result<Option<OwnedSemaphorePermit>, Status> {
        match most >= LARGE {
            true => Ok(Some(turn(&self.large_bodies).await?)),
            false => Ok(None),
        }
    }

    /// What comes of `work`, which may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let turn = turn(&self.calls).await?;
        let done = tokio::task::spawn_blocking(move || {
            // Held to the end, though the client may be gone before.
            let _turn = turn;
            work()
        });
        done.await.unwrap_or_else(|error| {
            tracing::error!("a method of the control plane ended: {error}");
            let message = "the host failed; its own log says why";
            Err(Status::new(Code::Internal, message))
        })
    }
}

async fn turn(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Status> {
    match timeout(TURN, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Status::new(
            Code::Unavailable,
            format!("the control plane is busy, and was so for {TURN:?}; try again later"),
        )),
    }
}

/// The token of a request.
fn bearer(headers: &http::HeaderMap) -> Result<&str, Status> {
    let missing = |message: &str| Status::new(Code::Unauthenticated, message);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| {
        missing(
            "Request is missing required authentication credential. Expected an access token: send `Authorization: Bearer \
             TOKEN` with what `host auth print-access-token` prints.",
        )
    })?;
    if values.next().is_some() {
        return Err(Status::invalid(
            "the request has two Authorization fields; expected one",
        ));
    }
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(missing("the Authorization field is not `Bearer TOKEN`")),
    }
}

/// Reads a body of up to `most` bytes.
async fn read(body: Incoming, most: usize) -> Result<Bytes, Status> {
    match timeout(BODY_TIME, read_slowly(body, most)).await {
        Ok(read) => read,
        Err(_) => Err(Status::new(
            Code::DeadlineExceeded,
            format!("the body took longer than {BODY_TIME:?}"),
        )),
    }
}

async fn read_slowly(mut body: Incoming, most: usize) -> Result<Bytes, Status> {
    let large = || {
        Status::invalid(format!("the body is larger than {most} bytes"))
            .because("REQUEST_TOO_LARGE")
    };
    if body.size_hint().lower() > most as u64 {
        return Err(large());
    }
    let mut read = BytesMut::new();
    loop {
        let frame = timeout(PAUSE, body.frame()).await;
        let frame = frame.map_err(|_| {
            Status::new(
                Code::DeadlineExceeded,
                format!("no more of the body came for {PAUSE:?}"),
            )
        })?;
        match frame {
            None => return Ok(read.freeze()),
            Some(Err(_)) => return Err(Status::invalid("the body ended early")),
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                if read.len() + data.len() > most {
                    return Err(large());
                }
                read.extend_from_slice(&data);
            }
        }
    }
}

/// Where the client reaches this listener.
fn origin(head: &http::request::Parts, source: Source) -> String {
    let scheme = match source {
        Source::Listener { is_tls: true, .. } => "https",
        _ => "http",
    };
    let host = head.uri.authority().map(ToString::to_string);
    let host = host.or_else(|| text(&head.headers, header::HOST.as_str()));
    format!("{scheme}://{}", host.unwrap_or_else(|| "localhost".into()))
}

fn text(headers: &http::HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= LONGEST_AGENT).then(|| value.to_owned())
}

/// The answer to a call that failed.
pub(super) fn refused(status: &Status) -> Answer {
    let code =
        StatusCode::from_u16(status.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = json(code, status.body().to_string());
    if status.code == Code::Unauthenticated {
        let scheme = HeaderValue::from_static("Bearer");
        answer
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
    }
    answer
}

fn json(status: StatusCode, body: String) -> Answer {
    whole(status, "application/json; charset=UTF-8", body.into())
}

fn whole(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    with_body(status, kind, Either::Left(Full::new(body)))
}

/// The content of `file`. Its length is told, so that an answer which ends early is not taken for a whole one.
fn of_file(kind: &'static str, file: File, in_call: InCall) -> Answer {
    let Ok(metadata) = file.metadata() else {
        let message = "the answer cannot be read";
        return refused(&Status::new(Code::Internal, message));
    };
    let body = Either::Right(Parts {
        parts: file::parts(file),
        _in_call: in_call,
    });
    let mut answer = with_body(StatusCode::OK, kind, body);
    let length = HeaderValue::from(metadata.len());
    answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    answer
}

fn with_body(status: StatusCode, kind: &'static str, body: Either<Full<Bytes>, Parts>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
