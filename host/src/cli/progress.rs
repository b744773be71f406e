//! Says that a component is being compiled, if that takes longer than a moment.

use std::io::{self, IsTerminal};

use crate::stderr;
use host_sandbox::compiler::Progress;

/// For which time of telling there is a line where there is no terminal. A small component takes a second where much
/// else is going on, and nobody waits for that line.
const PATIENCE: u64 = 3;

/// Shows it on stderr: a terminal has a line that changes, anything else gets one line.
pub(super) fn show(progress: &Progress<'_>) {
    let name = progress.name.unwrap_or("a component");
    let size = megabytes(progress.bytes);
    let seconds = progress.elapsed.as_secs();
    match (io::stderr().is_terminal(), progress.has_ended) {
        (true, true) => stderr::clear_status(),
        (true, false) => stderr::status(&format!("Compiling {name} ({size} MB) … {seconds} s")),
        (false, false) if progress.times == PATIENCE => {
            tracing::info!("Compiling {name} ({size} MB) …");
        }
        (false, _) => {}
    }
}

/// With one digit behind the point.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_to_a_tenth() {
        for (bytes, shown) in [
            (0, "0.0"),
            (1, "0.1"),
            (28_123_456, "28.2"),
            (250_000, "0.3"),
        ] {
            assert_eq!(megabytes(bytes), shown);
        }
    }
}
