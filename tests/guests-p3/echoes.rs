//! Streams the request's body back with its content type, and its trailers as trailers. Under
//! `/headers`, or wherever the query is `?headers`, it answers the method, target, scheme, authority
//! and fields that it saw, a line each.
#![cfg(target_family = "wasm")]

use std::fmt::Write as _;

use guests_p3::wasip3::{wit_future, wit_stream};
use guests_p3::wit_bindgen::StreamResult;
use guests_p3::{Answer, Fields, Request, Response, answer, consume, spawn};

/// What is sent back of the request's fields; a sender must announce its trailers. The rest is what a browser would go by.
const RETURNED: [&str; 6] = [
    "content-type",
    "trailer",
    "set-cookie",
    "alt-svc",
    "clear-site-data",
    "service-worker-allowed",
];

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let target = request.get_path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    if path == "/headers" || query == "headers" {
        let content_type = ("content-type", "text/plain; charset=utf-8");
        answer(200, &[content_type], head(&request))
    } else {
        Ok(echo(request))
    }
}

fn head(request: &Request) -> String {
    let mut text = format!(
        "method: {:?}\ntarget: {:?}\nscheme: {:?}\nauthority: {:?}\n",
        request.get_method(),
        request.get_path_with_query(),
        request.get_scheme(),
        request.get_authority(),
    );
    for (name, value) in request.get_headers().copy_all() {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(&value));
    }
    text
}

fn echo(request: Request) -> Response {
    let fields = Fields::new();
    for name in RETURNED {
        for value in request.get_headers().get(name) {
            fields
                .append(name, &value)
                .expect("the host takes its own headers");
        }
    }
    let (mut to, contents) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields, Some(contents), trailers);
    let (mut from, incoming) = consume(request);
    spawn(async move {
        loop {
            let (status, chunk) = from.read(Vec::with_capacity(64 * 1024)).await;
            if !to.write_all(chunk).await.is_empty() {
                eprintln!("the caller went away");
                return;
            }
            if status == StreamResult::Dropped {
                break;
            }
        }
        drop(to);
        let incoming = incoming.await;
        if let Err(error) = &incoming {
            eprintln!("the body broke off: {error:?}");
        }
        let _ = end.write(incoming).await;
    });
    response
}
