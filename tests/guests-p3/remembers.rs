//! Looks for what an earlier execution left behind.
//!
//! `?write=SECRET` fills its statics and `?mib=` (8) of fresh memory with the secret. `?find=TERCES`,
//! the secret spelt backwards so that the question is not the answer, takes as much fresh memory and
//! answers how often the secret stands in all of the linear memory. With both it finds what it has
//! just written, which proves that it knows how to look. With `?then=trap` it traps instead of answering.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::{memory_grow, memory_size, unreachable};
use std::sync::atomic::{AtomicU8, Ordering};

use guests_p3::{Answer, Query, Request, answer};

const PAGE: usize = 64 * 1024;
const PAGES_PER_MIB: usize = 16;

static ZEROED: [AtomicU8; PAGE] = [const { AtomicU8::new(0) }; PAGE];
static INITIALISED: [AtomicU8; PAGE] = [const { AtomicU8::new(b'.') }; PAGE];

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let pages = query.number("mib").unwrap_or(8) as usize * PAGES_PER_MIB;
    if let Some(secret) = query.get("write") {
        leave(secret.as_bytes(), pages);
    }
    if query.get("then") == Some("trap") {
        unreachable();
    }
    let Some(backwards) = query.get("find") else {
        return answer(200, &[], "ok\n");
    };
    memory_grow::<0>(pages);
    answer(200, &[], format!("{}\n", count(backwards.as_bytes())))
}

fn leave(secret: &[u8], pages: usize) {
    for cells in [&ZEROED, &INITIALISED] {
        for (cell, byte) in cells.iter().zip(secret.iter().cycle()) {
            cell.store(*byte, Ordering::Relaxed);
        }
    }
    let first = memory_grow::<0>(pages);
    if first == usize::MAX {
        return;
    }
    for (offset, byte) in (0..pages * PAGE).zip(secret.iter().cycle()) {
        let address = first * PAGE + offset;
        // SAFETY: these pages were grown just now, so nothing else lives there.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(*byte) };
    }
}

fn count(backwards: &[u8]) -> usize {
    let end = memory_size::<0>() * PAGE - backwards.len();
    (1..end)
        .filter(|&start| stands_at(start, backwards))
        .count()
}

fn stands_at(start: usize, backwards: &[u8]) -> bool {
    let mut forwards = backwards.iter().rev().enumerate();
    forwards.all(|(offset, byte)| byte_at(start + offset) == *byte)
}

fn byte_at(address: usize) -> u8 {
    // SAFETY: the callers stay above address 0 and below the size of the memory, where any byte may
    // be read.
    unsafe { std::ptr::with_exposed_provenance::<u8>(address).read_volatile() }
}
