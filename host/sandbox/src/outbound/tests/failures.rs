//! What a guest is told when a call goes wrong.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use wasmtime_wasi_http::Error;

use super::server::Server;
use super::{Answers, Guest, LOCALHOST, hello};

/// A request body that turns out longer than its `Content-Length`.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(3)))))
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_is_a_dns_error() {
    let mut guest = Guest::resolving(&["http://a.example"], Answers::new([]));
    let failed = guest.get("http://a.example").await;
    assert!(matches!(failed, Err(Error::DnsError { .. })), "{failed:?}");
    assert!(guest.refusals().is_empty());
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_or_for_another_name_is_an_error() {
    let (server, certificate) = Server::https("a.example", hello).await;
    let trusted: &[_] = &[certificate];
    for (name, authorities) in [("a.example", &[][..]), ("b.example", trusted)] {
        let url = format!("https://{name}:{}", server.port());
        let answers = Answers::new([&[LOCALHOST]]);
        let mut guest = Guest::new(&[&url, "127.0.0.1"], answers, authorities);
        let failed = guest.get(&url).await;
        assert!(
            matches!(failed, Err(Error::TlsCertificateError)),
            "{name}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn tls_to_a_server_that_does_not_speak_it_is_a_tls_error() {
    let server = Server::sending("HTTP/1.1 400 Bad Request\r\n\r\n", true).await;
    let url = server.url().replace("http:", "https:");
    let failed = Guest::allowed(&[&url]).get(&url).await;
    assert!(matches!(failed, Err(Error::TlsProtocolError)), "{failed:?}");
}

#[tokio::test]
async fn a_connection_that_is_not_ready_in_time_is_given_up() {
    let server = Server::sending("", false).await;
    let url = server.url().replace("http:", "https:");
    let mut guest = Guest::allowed(&[&url]);
    guest.options.connect_timeout = Some(Duration::from_millis(50));
    let failed = guest.get(&url).await;
    assert!(
        matches!(failed, Err(Error::ConnectionTimeout)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_after_the_first_byte_timeout() {
    let server = Server::sending("", false).await;
    let mut guest = Guest::allowed(&[&server.url()]);
    guest.options.first_byte_timeout = Some(Duration::from_millis(50));
    let failed = guest.get(&server.url()).await;
    assert!(
        matches!(failed, Err(Error::ConnectionReadTimeout)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up_after_what_came_was_read() {
    let server = Server::sending("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", false).await;
    let mut guest = Guest::allowed(&[&server.url()]);
    guest.options.between_bytes_timeout = Some(Duration::from_millis(50));
    let mut body = guest.get(&server.url()).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "hello");
    let stalled = body.frame().await.unwrap();
    assert!(
        matches!(stalled, Err(Error::ConnectionReadTimeout)),
        "{stalled:?}"
    );
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_error() {
    let failure = async |answer: String| {
        let server = Server::sending(answer, true).await;
        let mut guest = Guest::allowed(&[&server.url()]);
        match guest.text(&server.url()).await {
            Ok(text) => panic!("no failure but {text:?}"),
            Err(error) => error,
        }
    };
    let head = "HTTP/1.1 200 OK\r\n";

    let error = failure(String::new()).await;
    assert!(matches!(error, Error::HttpResponseIncomplete), "{error:?}");
    let error = failure(format!("{head}content-length: 9\r\n\r\nhello")).await;
    assert!(matches!(error, Error::HttpResponseIncomplete), "{error:?}");
    let error = failure("nonsense\r\n\r\n".into()).await;
    assert!(matches!(error, Error::HttpProtocolError), "{error:?}");
    let error = failure(format!("{head}x: {}\r\n\r\n", "x".repeat(300_000))).await;
    assert!(
        matches!(error, Error::HttpResponseHeaderSectionSize(_)),
        "{error:?}"
    );
    let error = failure(format!("{head}{}\r\n", "x: y\r\n".repeat(200))).await;
    assert!(
        matches!(error, Error::HttpResponseHeaderSectionSize(_)),
        "{error:?}"
    );
    let error = failure("HTTP/1.1 101 Switching Protocols\r\n\r\n".into()).await;
    assert!(matches!(error, Error::HttpUpgradeFailed), "{error:?}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses_the_connection() {
    let listener = std::net::TcpListener::bind((LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failed = Guest::allowed(&[&url]).get(&url).await;
    assert!(
        matches!(failed, Err(Error::ConnectionRefused)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_request_body_that_fails_fails_the_call() {
    let server = Server::sending("", false).await;
    let mut guest = Guest::allowed(&[&server.url()]);
    let request = Request::post(server.url())
        .body(Broken.boxed_unsync())
        .unwrap();
    let failed = guest.send(request).await;
    assert!(
        matches!(failed, Err(Error::HttpRequestBodySize(Some(3)))),
        "{failed:?}"
    );
}
