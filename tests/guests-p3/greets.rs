//! Greets as the greeting handler does, byte for byte.
#![cfg(target_family = "wasm")]

use greeting::Answer as Greeting;
use guests_p3::wasip3::cli::{stderr, stdout};
use guests_p3::wit_bindgen::StreamResult;
use guests_p3::{Answer, Request, answer, consume, print};

#[path = "../../guest/src/greeting.rs"]
pub mod greeting;

/// The most of a body that is read, in bytes.
const BODY_BOUND: usize = 1024 * 1024;

/// The most that is asked of a stream in one read, in bytes.
const READ_SIZE: usize = 64 * 1024;

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let greeting = match read(request).await {
        Ok(body) => Greeting::to(&body),
        Err(refusal) => refusal,
    };
    let output = match greeting {
        Greeting::Greeting(_) => stdout::write_via_stream,
        Greeting::NotJson(_) | Greeting::TooLarge(_) => stderr::write_via_stream,
    };
    print(output, format!("{greeting}\n")).await;
    let content_type = ("content-type", "text/plain; charset=utf-8");
    answer(greeting.status(), &[content_type], greeting.text())
}

/// The whole body, or what to answer where it cannot be had.
async fn read(request: Request) -> Result<Vec<u8>, Greeting> {
    let (mut stream, trailers) = consume(request);
    let mut body = Vec::new();
    loop {
        body.reserve(READ_SIZE);
        let (status, filled) = stream.read(body).await;
        body = filled;
        if body.len() > BODY_BOUND {
            return Err(Greeting::TooLarge(BODY_BOUND));
        }
        if status == StreamResult::Dropped {
            break;
        }
    }
    match trailers.await {
        Ok(_) => Ok(body),
        Err(error) => Err(Greeting::NotJson(format!("{error:?}"))),
    }
}
