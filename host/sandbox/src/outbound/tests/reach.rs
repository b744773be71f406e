//! Whom a guest reaches, and what is said of those whom it does not.

use std::net::IpAddr;

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, WasiHttpHooks};

use super::server::Server;
use super::{Answers, Guest, LOCALHOST, empty, hello};

#[tokio::test]
async fn nothing_is_called_by_default_and_the_operator_is_told() {
    let server = Server::http(hello).await;
    let mut guest = Guest::allowed(&[]);
    let refused = guest.get(&format!("{}/secret?key=1", server.url())).await;
    assert!(
        matches!(refused, Err(Error::HttpRequestDenied)),
        "{refused:?}"
    );
    assert_eq!(server.connections(), 0);
    let url = server.url();
    assert_eq!(
        guest.refusals(),
        [format!(
            "outbound call to {url} refused: not in the allow-list"
        )]
    );
}

#[tokio::test]
async fn an_address_that_a_rule_names_is_called() {
    let server = Server::http(hello).await;
    let mut guest = Guest::allowed(&[&server.url()]);
    assert_eq!(guest.text(&server.url()).await.unwrap(), "hello");
    assert!(guest.refusals().is_empty());
}

#[tokio::test]
async fn localhost_is_called_by_its_name() {
    let server = Server::http(hello).await;
    let url = format!("http://LOCALHOST.:{}", server.port());
    let mut guest = Guest::resolving(&[&url], Answers::new([&[LOCALHOST]]));
    assert_eq!(guest.text(&url).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_name_that_resolves_to_this_machine_is_refused() {
    let server = Server::http(hello).await;
    let url = format!("http://a.example:{}", server.port());
    let mut guest = Guest::resolving(&[&url], Answers::new([&[LOCALHOST]]));
    let refused = guest.get(&url).await;
    assert!(
        matches!(refused, Err(Error::DestinationIpProhibited)),
        "{refused:?}"
    );
    assert_eq!(server.connections(), 0);
    assert_eq!(
        guest.refusals(),
        [format!(
            "outbound call to {url} refused: 127.0.0.1 is a loopback address, and no allowed \
             range has it"
        )]
    );
}

#[tokio::test]
async fn a_name_is_resolved_once_for_a_connection_and_an_answer_that_changes_gains_nothing() {
    let server = Server::http(|_| {
        let close = Response::builder().header(header::CONNECTION, "close");
        close.body("hello".into()).unwrap()
    })
    .await;
    let url = format!("http://a.example:{}", server.port());
    let elsewhere = IpAddr::from([127, 0, 0, 2]);
    // 127.0.0.1 stands for the public address here. A second look at the name would find the next answer.
    let mut guest = Guest::resolving(
        &[&url, "127.0.0.1"],
        Answers::new([&[LOCALHOST], &[elsewhere]]),
    );
    assert_eq!(guest.text(&url).await.unwrap(), "hello");
    let refused = guest.get(&url).await;
    assert!(
        matches!(refused, Err(Error::DestinationIpProhibited)),
        "{refused:?}"
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn of_a_mixed_answer_the_allowed_address_is_called() {
    let server = Server::http(hello).await;
    let url = format!("http://a.example:{}", server.port());
    let mixed = [
        [10, 0, 0, 1].into(),
        IpAddr::from([127, 0, 0, 2]),
        LOCALHOST,
    ];
    let mut guest = Guest::resolving(&[&url, "127.0.0.1"], Answers::new([&mixed]));
    assert_eq!(guest.text(&url).await.unwrap(), "hello");
}

#[tokio::test]
async fn an_address_in_an_unusual_form_or_credentials_before_the_host_go_nowhere() {
    let server = Server::http(hello).await;
    let port = server.port();
    let mut guest = Guest::allowed(&[&server.url(), &format!("http://localhost:{port}")]);
    for host in [
        "0x7f.1",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "localhost@127.0.0.1",
    ] {
        let refused = guest.get(&format!("http://{host}:{port}/")).await;
        assert!(
            matches!(refused, Err(Error::HttpRequestUriInvalid)),
            "{host}: {refused:?}"
        );
    }
    let refused = guest
        .get(&format!("http://[::ffff:127.0.0.1]:{port}/"))
        .await;
    assert!(
        matches!(refused, Err(Error::HttpRequestDenied)),
        "{refused:?}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::http(|_| {
        let found = Response::builder().status(302);
        let found = found.header(header::LOCATION, "http://169.254.169.254/");
        found.body(Full::default()).unwrap()
    })
    .await;
    let mut guest = Guest::allowed(&[&server.url()]);
    let response = guest.get(&server.url()).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(
        response.headers()[header::LOCATION],
        "http://169.254.169.254/"
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_tunnel_cannot_be_asked_for() {
    let mut guest = Guest::allowed(&["http://127.0.0.1"]);
    let request = Request::connect("http://127.0.0.1/").body(empty()).unwrap();
    let refused = guest.send(request).await;
    assert!(
        matches!(refused, Err(Error::HttpRequestMethodInvalid)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn no_more_calls_are_under_way_at_once_than_allowed() {
    let server = Server::http(|_| Response::new("hello".into())).await;
    let url = server.url();
    let mut guest = Guest::allowed(&[&url]);
    let first = guest.get(&url).await.unwrap();
    let second = guest.get(&url).await.unwrap();
    let third = guest.get(&url).await;
    assert!(
        matches!(third, Err(Error::ConnectionLimitReached)),
        "{third:?}"
    );
    assert!(guest.refusals()[0].contains("2 calls of this execution are under way"));

    first.into_body().collect().await.unwrap();
    let mut third = guest.get(&url).await.unwrap().into_body();
    drop(second);
    guest.get(&url).await.unwrap();
    // Read to its end and not dropped.
    third.frame().await.unwrap().unwrap();
    guest.get(&url).await.unwrap();
}

#[tokio::test]
async fn a_guest_that_tries_for_ever_fills_no_log() {
    let mut guest = Guest::allowed(&[]);
    for _ in 0..100 {
        guest.get("http://a.example").await.unwrap_err();
    }
    let refusals = guest.refusals();
    assert_eq!(refusals.len(), 21);
    assert_eq!(refusals[20], "further outbound calls refused; not listed");
}

#[test]
fn guests_may_not_set_headers_of_the_connection() {
    let mut guest = Guest::allowed(&[]);
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
        assert!(guest.hooks.is_forbidden_header(&name));
        assert!((guest.hooks.forbidden_header_filter())(&name));
    }
    assert!(!guest.hooks.is_forbidden_header(&header::AUTHORIZATION));
    assert!(!(guest.hooks.forbidden_header_filter())(
        &header::AUTHORIZATION
    ));
}
