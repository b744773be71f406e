//! Adds response fields of `?size=` bytes (1,024) each: until the host refuses one, or `?count=` of
//! them. Then it answers with them all.
#![cfg(target_family = "wasm")]

use guests::wasi::http::types::{Fields, OutgoingBody, OutgoingResponse};
use guests::{IncomingRequest, Query, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let count = query.number("count").unwrap_or(u64::MAX);
    let value = vec![b'x'; query.number("size").unwrap_or(1024) as usize];
    let fields = Fields::new();
    for number in 1..=count {
        if let Err(error) = fields.append(&format!("x-field-{number}"), &value) {
            answer(
                out,
                200,
                &[],
                format!("refused field {number}: {error:?}\n"),
            );
            return;
        }
    }
    let response = OutgoingResponse::new(fields);
    let body = response.body().expect("the body is asked for once");
    ResponseOutparam::set(out, Ok(response));
    let _ = OutgoingBody::finish(body, None);
}
