//! Methods of another process: by the socket in the state directory, or over the network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use memchr::{memchr, memrchr};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout_at};

use super::super::Message;
use crate::api::{Code, Status};
use crate::console::{OWN_CLIENT, socket};
use crate::http_client::{self, HttpClient};
use crate::{authorities, input};
use host_sandbox::outbound::{authorities as trusted, tls_failure};

/// The largest answer, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;
/// The largest access token, in bytes.
const LARGEST_TOKEN: u64 = 64 << 10;

/// Another process.
pub(in crate::cli) struct Remote {
    runtime: Runtime,
    place: Place,
}

enum Place {
    /// The process that serves this state directory.
    Socket(PathBuf),
    /// A control plane.
    Network {
        /// Without a slash at the end.
        url: String,
        token: Option<String>,
        client: Box<HttpClient>,
    },
}

impl Remote {
    /// The process that serves the state `directory`.
    ///
    /// # Errors
    /// If this process cannot wait for it.
    pub(in crate::cli) fn by_socket(directory: PathBuf) -> Result<Self, Message> {
        Ok(Self {
            runtime: runtime()?,
            place: Place::Socket(directory),
        })
    }

    /// The control plane at `url`, with the token in the file `token`, trusting the authorities in the file `ca`.
    ///
    /// # Errors
    /// If the URL is none, tokens would be sent in the clear, or a file cannot be read.
    pub(in crate::cli) fn elsewhere(
        url: &str,
        token: Option<&Path>,
        ca: Option<&Path>,
    ) -> Result<Self, Message> {
        check(url)?;
        let token = token.map(|file| {
            let bytes = input::read(file, "--access-token-file", LARGEST_TOKEN)?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| format!("{} holds no token", input::name(file)))?;
            Ok::<_, Message>(text.trim().to_owned())
        });
        let others = ca.map(authorities::read).transpose()?.unwrap_or_default();
        let tls = trusted::client_config(&others);
        let tls = tls.map_err(|error| format!("the certificate authorities: {error}"))?;
        Ok(Self {
            runtime: runtime()?,
            place: Place::Network {
                url: url.trim_end_matches('/').to_owned(),
                token: token.transpose()?,
                client: Box::new(http_client::keeping_connections(tls)),
            },
        })
    }

    /// Whether it is reached over the network.
    pub(in crate::cli) fn is_elsewhere(&self) -> bool {
        matches!(self.place, Place::Network { .. })
    }

    /// Calls the method of `verb` and `path`.
    ///
    /// # Errors
    /// If it fails or cannot be reached.
    pub(in crate::cli) fn call(
        &self,
        verb: &str,
        path: &str,
        body: Bytes,
    ) -> Result<Value, Status> {
        self.runtime.block_on(async {
            let response = self.send(verb, path, body).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER);
            let body = body.collect().await.map_err(|error| unreachable(&*error))?;
            let document: Option<Value> = serde_json::from_slice(&body.to_bytes()).ok();
            match document {
                Some(document) if status.is_success() => Ok(document),
                Some(document) => Err(failure(&document)),
                None => Err(foreign(status)),
            }
        })
    }

    /// Gives `write` the file of the media type `kind` at `path`, part by part.
    ///
    /// # Errors
    /// If the method fails or cannot be reached, the file does not come whole, or `write` fails.
    pub(in crate::cli) fn download(
        &self,
        path: &str,
        kind: &str,
        mut write: impl FnMut(&[u8]) -> Result<(), Message>,
    ) -> Result<(), Message> {
        self.runtime.block_on(async {
            let response = self.send("GET", path, Bytes::new()).await?;
            let status = response.status();
            let is_file = response
                .headers()
                .get(header::CONTENT_TYPE)
                .is_some_and(|found| found == kind);
            let mut body = response.into_body();
            if !status.is_success() || !is_file {
                let body = Limited::new(body, LARGEST_ANSWER);
                let body = body.collect().await.map_err(|error| unreachable(&*error))?;
                let document: Option<Value> = serde_json::from_slice(&body.to_bytes()).ok();
                return Err(match document {
                    Some(document) if !status.is_success() => failure(&document).message,
                    _ => foreign(status).message,
                });
            }
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| unreachable(&error))?;
                if let Some(part) = frame.data_ref() {
                    write(part)?;
                }
            }
            Ok(())
        })
    }

    /// Calls the method of `verb` and `path`, whose answer goes on as long as this is not dropped.
    ///
    /// # Errors
    /// If it fails or cannot be reached.
    pub(in crate::cli) fn lines(
        self,
        verb: &str,
        path: &str,
        body: Bytes,
    ) -> Result<Lines, Status> {
        let answer = self.runtime.block_on(async {
            let response = self.send(verb, path, body).await?;
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            let body = Limited::new(response.into_body(), LARGEST_ANSWER);
            let body = body.collect().await.map_err(|error| unreachable(&*error))?;
            let document = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
            Err(failure(&document))
        });
        Ok(Lines {
            answer: answer?,
            remote: self,
            buffer: BytesMut::new(),
        })
    }

    async fn send(
        &self,
        verb: &str,
        path: &str,
        body: Bytes,
    ) -> Result<http::Response<Incoming>, Status> {
        let mut request = Request::builder()
            .method(verb)
            .header(OWN_CLIENT, env!("CARGO_PKG_VERSION"))
            .header(
                header::USER_AGENT,
                concat!("host/", env!("CARGO_PKG_VERSION")),
            );
        match &self.place {
            Place::Socket(directory) => {
                let request = request.uri(path).header(header::HOST, "localhost");
                let request = request
                    .body(Full::new(body))
                    .map_err(|error| unreachable(&error))?;
                by_socket(directory, request).await
            }
            Place::Network { url, token, client } => {
                if let Some(token) = token {
                    request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
                }
                let request = request.uri(format!("{url}{path}")).body(Full::new(body));
                let request = request.map_err(|error| unreachable(&error))?;
                let response = client.request(request).await;
                response.map_err(|error| unreachable(&error))
            }
        }
    }
}

/// An answer that comes line by line.
pub(in crate::cli) struct Lines {
    answer: Incoming,
    remote: Remote,
    /// What has come and was not returned.
    buffer: BytesMut,
}

impl Lines {
    /// The next line, without its line feed, which comes within `time`.
    ///
    /// # Errors
    /// If it does not, the answer ends, or the line is too long.
    pub(in crate::cli) fn one(&mut self, time: Duration) -> Result<Bytes, Status> {
        let line = self.wait(time, |buffer| memchr(b'\n', buffer))?;
        line.ok_or_else(|| Status::new(Code::DeadlineExceeded, "the host did not answer in time"))
    }

    /// The lines that come within `time`, without their line feeds. Waits no longer than until there is one.
    ///
    /// # Errors
    /// If the answer ends, or a line is too long.
    pub(in crate::cli) fn several(&mut self, time: Duration) -> Result<Vec<Bytes>, Status> {
        let text = self.wait(time, |buffer| memrchr(b'\n', buffer))?;
        let lines = text.iter().flat_map(|text| {
            let lines = text.split(|byte| *byte == b'\n');
            lines.map(|line| text.slice_ref(line))
        });
        Ok(lines.collect())
    }

    /// Waits for a line feed where `find` looks for one. Returns what precedes it; nothing if it does not come within
    /// `time`.
    fn wait(
        &mut self,
        time: Duration,
        find: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Option<Bytes>, Status> {
        let until = Instant::now() + time;
        loop {
            if let Some(end) = find(&self.buffer) {
                let text = self.buffer.split_to(end + 1).freeze();
                return Ok(Some(text.slice(..end)));
            }
            if self.buffer.len() > LARGEST_ANSWER {
                return Err(Status::new(
                    Code::Internal,
                    "a line of the answer is too long",
                ));
            }
            let answer = &mut self.answer;
            let frame = async move { timeout_at(until, answer.frame()).await };
            match self.remote.runtime.block_on(frame) {
                Err(_) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.buffer.extend_from_slice(&data);
                }
                Ok(Some(Err(error))) => return Err(unreachable(&error)),
                Ok(None) => {
                    return Err(Status::new(Code::Unavailable, "the host ended the answer"));
                }
            }
        }
    }
}

async fn by_socket(
    directory: &Path,
    request: Request<Full<Bytes>>,
) -> Result<http::Response<Incoming>, Status> {
    let stream = socket::connect(directory).await;
    let stream = stream.map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(&error))?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await;
    response.map_err(|error| unreachable(&error))
}

/// The error of a method, as it was answered.
fn failure(document: &Value) -> Status {
    let error = &document["error"];
    let text = |field: &str| error[field].as_str().unwrap_or_default();
    Status::new(Code::named(text("status")), text("message"))
}

/// Says that the answer is nothing that a host answers.
fn foreign(status: StatusCode) -> Status {
    Status::new(
        Code::Unavailable,
        format!(
            "the answer has status {status} and is not of a host's control plane; look at --endpoint"
        ),
    )
}

fn unreachable(error: &(dyn std::error::Error + 'static)) -> Status {
    Status::new(
        Code::Unavailable,
        format!("cannot reach the host: {}", tls_failure::all_causes(error)),
    )
}

/// Refuses an address at which a token would be sent in the clear.
fn check(url: &str) -> Result<(), Message> {
    let parsed: Option<Uri> = url.parse().ok();
    let parsed = parsed.filter(|uri| uri.host().is_some());
    let is_local = |host: &str| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    match parsed.as_ref().map(|uri| (uri.scheme_str(), uri.host())) {
        Some((Some("https"), _)) => Ok(()),
        Some((Some("http"), Some(host))) if is_local(host) => Ok(()),
        Some((Some("http"), _)) => Err(format!(
            "{url} is not on this machine, and a token would be sent to it in the clear; use https://"
        )),
        _ => Err(format!(
            "`{url}` is not the URL of a control plane; expected one such as https://host.example:8081"
        )),
    }
}

fn runtime() -> Result<Runtime, Message> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_over_tls_or_to_this_machine() {
        for url in [
            "https://host.example:8081",
            "http://127.0.0.1:8081/",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "http://host.example",
            "http://10.0.0.1:8081",
            "host.example",
            "ftp://localhost",
            "",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_error_is_read_as_it_was_answered() {
        let status = Status::not_found("projects/p/locations/l/jobs/j");
        let read = failure(&status.body());
        assert_eq!(
            (read.code, &read.message),
            (Code::NotFound, &status.message)
        );
        assert_eq!(failure(&Value::Null).code, Code::Internal);
    }
}
