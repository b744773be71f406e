//! Has a handler of WASI 0.2 and one of 0.3. Each answers its generation: `0.2` or `0.3`.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Request, answer};

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    guests_p3::wit_bindgen::generate!({
        path: "../../wit",
        world: "function",
        generate_all,
        runtime_path: "guests_p3::wit_bindgen::rt",
    });
    export!(Older);
    use super::Older;
}

struct Older;

impl Guest for Older {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("the body is asked for once");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the stream is asked for once");
        let _ = stream.blocking_write_and_flush(b"0.2");
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    answer(200, &[], "0.3")
}
