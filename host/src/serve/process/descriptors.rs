//! File descriptors: each connection takes one, and each compiled component.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::serve::error::ServeError;

/// What connections leave to others, at the least and at the most: to the control plane, the log, outbound calls.
const RESERVE: (usize, usize) = (16, 256);
/// What a worker's runtime takes.
const PER_WORKER: usize = 3;
/// Assumed where the system does not tell.
const IN_USE: usize = 64;

/// Lifts this process's limit as far as it may. What a shell gives by default is made for programs that wait with
/// `select`, which this one does not.
pub(in crate::serve) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // With the limit that it had, the host serves as well, only fewer.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// How many connections there may be at once, of those `wanted`, before `workers` workers begin. Clients beyond that are
/// turned away in words, instead of taking the last descriptor.
///
/// # Errors
/// If there is none for them.
pub(in crate::serve) fn connections(wanted: usize, workers: usize) -> Result<usize, ServeError> {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return Ok(wanted);
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let in_use = fs::read_dir("/dev/fd").map_or(IN_USE, Iterator::count);
    Ok(within(limit, in_use + workers * PER_WORKER)?.min(wanted))
}

fn within(limit: usize, in_use: usize) -> Result<usize, ServeError> {
    let others = in_use + (limit / 8).clamp(RESERVE.0, RESERVE.1);
    match limit.saturating_sub(others) {
        0 => Err(ServeError::Descriptors {
            limit,
            needed: others + 1,
        }),
        left => Ok(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_others() {
        assert_eq!(within(64, 40).unwrap(), 8);
        assert_eq!(within(1 << 20, 40).unwrap(), (1 << 20) - 296);
        let refused = within(56, 40).unwrap_err().to_string();
        assert!(refused.contains("56 files") && refused.contains("needs 57"));
    }
}
