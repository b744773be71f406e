//! Starts with 3 MiB of data in its memory, as an interpreter does whose start was run beforehand.
//!
//! It answers how many bytes are not as they were at its start, or not zero in a page that it grows. Then it writes over
//! all of them, over `?mib=` (8) of fresh memory too.
#![cfg(target_family = "wasm")]

use std::arch::wasm32::memory_grow;
use std::sync::atomic::{AtomicU8, Ordering};

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

const PAGE: usize = 64 * 1024;
const PAGES_PER_MIB: usize = 16;

static DATA: [AtomicU8; 3 << 20] = [const { AtomicU8::new(b'.') }; 3 << 20];

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let pages = Query::of(&request).number("mib").unwrap_or(8) as usize * PAGES_PER_MIB;
    let changed = DATA
        .iter()
        .filter(|byte| byte.swap(b'!', Ordering::Relaxed) != b'.');
    let mut count = changed.count();
    let first = memory_grow::<0>(pages);
    if first != usize::MAX {
        count += (0..pages * PAGE)
            .filter(|offset| overwrites(first * PAGE + offset))
            .count();
    }
    answer(out, 200, &[], format!("{count}\n"));
}

/// Whether there was anything.
fn overwrites(address: usize) -> bool {
    let byte = std::ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: the caller has grown this page just now, so nothing else lives there.
    unsafe {
        let before = byte.read_volatile();
        byte.write_volatile(b'!');
        before != 0
    }
}
