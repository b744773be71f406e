//! What goes over the wire, and over how many.

use http::{Request, Response, header};
use http_body_util::BodyExt;

use super::server::Server;
use super::{Answers, Guest, LOCALHOST, empty, hello};

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::http(hello).await;
    let mut guest = Guest::allowed(&[&server.url()]);
    for _ in 0..5 {
        assert_eq!(guest.text(&server.url()).await.unwrap(), "hello");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_host_header_is_the_checked_host_and_no_header_for_the_next_hop_goes_out_or_comes_in() {
    let server = Server::http(|request| {
        let names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
        let host = request.headers()[header::HOST].to_str().unwrap();
        let echo = format!("{host} {}", names.join(","));
        let response = Response::builder()
            .header("x-mine", "1")
            .header("x-hop", "1");
        let response = response.header(header::CONNECTION, "keep-alive, x-hop");
        response.body(echo.into()).unwrap()
    })
    .await;
    let mut guest = Guest::allowed(&[&server.url()]);
    let request = Request::get(server.url())
        .header(header::HOST, "other.example")
        .header(header::CONNECTION, "x-hop")
        .header("x-hop", "1")
        .header("keep-alive", "1")
        .header(header::TE, "gzip")
        .header(header::UPGRADE, "websocket")
        .header("x-mine", "1");
    let response = guest.send(request.body(empty()).unwrap()).await.unwrap();
    assert!(response.headers().contains_key("x-mine"));
    assert!(!response.headers().contains_key("x-hop"));
    assert!(!response.headers().contains_key(header::CONNECTION));
    let echo = response.into_body().collect().await.unwrap().to_bytes();
    let expected = format!("127.0.0.1:{} x-mine,host", server.port());
    assert_eq!(echo, expected);
}

#[tokio::test]
async fn http2_is_spoken_where_tls_offers_it_and_one_connection_carries_all() {
    let (server, certificate) = Server::https("a.example", |request| {
        assert!(!request.headers().contains_key(header::HOST));
        Response::new(format!("{:?} {}", request.version(), request.uri()).into())
    })
    .await;
    let url = format!("https://a.example:{}", server.port());
    let answers = Answers::new([&[LOCALHOST]]);
    let mut guest = Guest::new(&[&url, "127.0.0.1"], answers, &[certificate]);
    let expected = format!("HTTP/2.0 {url}/path");
    for _ in 0..3 {
        assert_eq!(guest.text(&format!("{url}/path")).await.unwrap(), expected);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn connections_of_a_runtime_that_is_gone_are_made_anew() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let serving = runtime();
    let server = serving.block_on(Server::http(hello));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || serving.block_on(stopped));

    let mut guest = Guest::allowed(&[&server.url()]);
    for connections in 1..=2 {
        let text = runtime().block_on(guest.text(&server.url()));
        assert_eq!(text.unwrap(), "hello");
        assert_eq!(server.connections(), connections);
    }
    stop.send(()).unwrap();
    thread.join().unwrap().unwrap();
}
