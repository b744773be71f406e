//! Counts the requests that it has answered, in its memory, and says so in its log and in its answer: `3\n`.
//!
//! `?then=` says what it does besides: `trap`, `exit` and `spin` end it before it answers, `silent` returns without an
//! answer, `cut` leaves its body unfinished, `keep-fields`, `keep-request` and `keep-timer` keep a handle, `grow` keeps
//! `?mib=` more of memory, and `linger` goes on for ever after its answer. `?for=` milliseconds it waits in the host;
//! `overlaps` is answered should another request come to it meanwhile. `?secret=` is kept in its memory, and what was kept
//! before is answered.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::{memory_grow, unreachable};
use std::cell::RefCell;
use std::mem;

use guests::wasi::clocks::monotonic_clock;
use guests::wasi::http::types::Fields;
use guests::wasi::io::poll::Pollable;
use guests::{IncomingRequest, Query, ResponseOutparam, answer, sleep, start, write_all};

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

#[derive(Default)]
struct Kept {
    requests: u32,
    is_busy: bool,
    secret: Option<String>,
    fields: Vec<Fields>,
    timers: Vec<Pollable>,
}

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let then = query.get("then").unwrap_or_default();
    let (count, overlaps) = KEPT.with_borrow_mut(|kept| {
        kept.requests += 1;
        (kept.requests, mem::replace(&mut kept.is_busy, true))
    });
    println!("request {count}");
    if let Some(milliseconds) = query.number("for") {
        sleep(milliseconds);
    }
    KEPT.with_borrow_mut(|kept| kept.is_busy = false);
    match then {
        "trap" => unreachable(),
        "exit" => std::process::exit(1),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "silent" => return,
        "cut" => {
            let body = start(out, 200, &[]);
            let stream = body.write().expect("the stream is asked for once");
            let _ = write_all(&stream, b"half");
            return;
        }
        "keep-fields" => KEPT.with_borrow_mut(|kept| kept.fields.push(Fields::new())),
        "keep-timer" => KEPT.with_borrow_mut(|kept| {
            kept.timers
                .push(monotonic_clock::subscribe_duration(1 << 40));
        }),
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
    answer(out, 200, &[], text);
    while then == "linger" {
        std::hint::spin_loop();
    }
}
