//! Answers, then answers again through the handle that the first answer used up.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(_: IncomingRequest, out: ResponseOutparam) {
    let handle = out.handle();
    answer(out, 200, &[], "first\n");
    // SAFETY: the handle is no longer this component's. That is the point, and the host's to notice;
    // nothing in this component's memory depends on it.
    let again = unsafe { ResponseOutparam::from_handle(handle) };
    answer(again, 201, &[], "second\n");
}
