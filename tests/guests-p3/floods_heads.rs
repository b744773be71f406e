//! Gives an outgoing request a method or an authority (`?part=`) of `?size=` bytes, and answers
//! whether the host took it.
//!
//! With `?requests=` it makes and keeps so many, each with a path or trailers (`?part=`) of that size.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::http::types::Method;
use guests_p3::wasip3::wit_future;
use guests_p3::{Answer, Fields, Query, Request, answer, no_trailers, spawn};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let size = query.number("size").unwrap_or(1) as usize;
    let part = query.get("part");
    let count = query.number("requests").unwrap_or(1);
    let requests: Vec<_> = (0..count).map(|_| outgoing(part, size)).collect();
    let word = if requests.iter().all(Option::is_some) {
        "taken\n"
    } else {
        "refused\n"
    };
    answer(200, &[], word)
}

fn outgoing(part: Option<&str>, size: usize) -> Option<Request> {
    let text = "X".repeat(size);
    if part == Some("trailers") {
        let trailers = Fields::new();
        trailers.append("x-trailer", text.as_bytes()).ok()?;
        let (writer, end) = wit_future::new(|| Ok(None));
        spawn(async move { drop(writer.write(Ok(Some(trailers))).await) });
        return Some(Request::new(Fields::new(), None, end, None).0);
    }
    let (outgoing, _) = Request::new(Fields::new(), None, no_trailers(), None);
    let taken = match part {
        Some("method") => outgoing.set_method(&Method::Other(text)),
        Some("path") => outgoing.set_path_with_query(Some(&format!("/{text}"))),
        _ => outgoing.set_authority(Some(&text)),
    };
    taken.is_ok().then_some(outgoing)
}
