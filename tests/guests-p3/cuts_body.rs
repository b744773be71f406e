//! Writes 10 bytes of a body and breaks it off, having declared `?length=` bytes (100), or with `?length=0` none. The body
//! ends with an error code, or with `?end=whole` as if that were all. It prints an error of the host's.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, ErrorCode, Query, Request, spawn, start};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let length = query.number("length").unwrap_or(100);
    let declared = length.to_string();
    let headers: &[_] = if length == 0 {
        &[]
    } else {
        &[("content-length", declared.as_str())]
    };
    let end = match query.get("end").unwrap_or("error") {
        "error" => Err(ErrorCode::InternalError(Some("cut".to_owned()))),
        "whole" => Ok(None),
        other => panic!("no such end: {other:?}"),
    };
    let (response, mut body) = start(200, headers);
    spawn(async move {
        body.write("0123456789").await;
        let sent = body.finish(end).await;
        if let Err(error) = sent.await {
            eprintln!("sending: {error:?}");
        }
    });
    Ok(response)
}
