//! Counts the requests that it has answered, in its memory, and says so in its log and in its answer: `3\n`.
//!
//! `?then=` says what it does besides: `trap`, `exit` and `spin` end it before it answers, `error` returns an error code,
//! `cut` breaks its body off, `keep-fields` and `keep-request` keep a handle, `keep-timer` goes on waiting after its
//! answer, `grow` keeps `?mib=` more of memory, and `linger` goes on for ever after its answer. `?for=` milliseconds it
//! waits in the host, and says that it goes on; `overlaps` is answered should another request come to it meanwhile. `?secret=` is kept in its memory,
//! and what was kept before is answered.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::{memory_grow, unreachable};
use std::cell::RefCell;
use std::mem;

use guests_p3::{Answer, ErrorCode, Fields, Query, Request, answer, sleep, spawn, spin, start};

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

#[derive(Default)]
struct Kept {
    requests: u32,
    is_busy: bool,
    secret: Option<String>,
    fields: Vec<Fields>,
}

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let then = query.get("then").unwrap_or_default();
    let (count, overlaps) = KEPT.with_borrow_mut(|kept| {
        kept.requests += 1;
        (kept.requests, mem::replace(&mut kept.is_busy, true))
    });
    println!("request {count}");
    if let Some(milliseconds) = query.number("for") {
        sleep(milliseconds).await;
        println!("request {count} goes on");
    }
    KEPT.with_borrow_mut(|kept| kept.is_busy = false);
    match then {
        "trap" => unreachable(),
        "exit" => std::process::exit(1),
        "spin" => spin(),
        "error" => return Err(ErrorCode::InternalError(None)),
        "cut" => {
            let (response, mut body) = start(200, &[]);
            spawn(async move {
                body.write("half").await;
                body.finish(Err(ErrorCode::InternalError(None))).await;
            });
            return Ok(response);
        }
        "keep-fields" => KEPT.with_borrow_mut(|kept| kept.fields.push(Fields::new())),
        "keep-timer" => drop(spawn(sleep(1 << 20))),
        "grow" => {
            memory_grow::<0>(query.number("mib").unwrap_or(1) as usize * 16);
        }
        _ => {}
    }
    let text = match (overlaps, query.get("secret")) {
        (true, _) => "overlaps\n".to_owned(),
        (_, None) => format!("{count}\n"),
        (_, Some(secret)) => {
            let secret = secret.to_owned();
            let before = KEPT.with_borrow_mut(|kept| kept.secret.replace(secret));
            format!("{before:?}\n")
        }
    };
    if then == "keep-request" {
        // Whoever sent it has to wait no longer; the handle stays.
        mem::forget(request);
    }
    if then == "linger" {
        let (response, mut body) = start(200, &[]);
        spawn(async move {
            body.write(text).await;
            body.finish(Ok(None)).await;
            spin();
        });
        return Ok(response);
    }
    answer(200, &[], text)
}
