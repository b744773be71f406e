//! Answers with the request's own body and trailers, and its content type and length, without looking at them.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Fields, Request, Response, consume};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let fields = Fields::new();
    for name in ["content-type", "content-length", "trailer"] {
        for value in request.get_headers().get(name) {
            fields
                .append(name, &value)
                .expect("the host takes its own headers");
        }
    }
    let (body, trailers) = consume(request);
    Ok(Response::new(fields, Some(body), trailers).0)
}
