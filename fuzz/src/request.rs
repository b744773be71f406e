//! The reader of requests to the control plane: no request makes a method panic, and each error is one line.

#![no_main]

use host::api::Probe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Anew each time, so that one input is enough to see a fault again.
    let Ok(probe) = Probe::new() else {
        return;
    };
    if let Some(message) = probe.call(data) {
        assert!(!message.contains('\n'), "{message}");
    }
});
