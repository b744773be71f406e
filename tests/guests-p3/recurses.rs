//! Calls itself until the stack is used up.
#![cfg(target_family = "wasm")]

use std::sync::atomic::{AtomicU64, Ordering};

use guests_p3::{Answer, Request, answer};

/// No depth is ever this one, which the compiler cannot know.
static BOTTOM: AtomicU64 = AtomicU64::new(u64::MAX);

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    answer(200, &[], format!("{}\n", descend(0)))
}

/// Keeps nothing in linear memory, so that the host's stack is what runs out.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == BOTTOM.load(Ordering::Relaxed) {
        return depth;
    }
    descend(depth + 1).rotate_left(7) ^ depth
}
