//! File descriptors: each connection takes one, and each compiled component.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What connections leave to others at the most: to outbound calls, files and the control plane.
const RESERVE: usize = 256;
/// What a worker's runtime takes.
const PER_WORKER: usize = 3;
/// Assumed where the system does not tell.
const IN_USE: usize = 64;

/// Lifts this process's limit as far as it may. What a shell gives by default is made for programs that wait with
/// `select`, which this one does not.
pub(super) fn raise_limit() {
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
pub(super) fn connections(wanted: usize, workers: usize) -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let in_use = fs::read_dir("/dev/fd").map_or(IN_USE, Iterator::count);
    within(limit, in_use + workers * PER_WORKER).min(wanted)
}

fn within(limit: u64, in_use: usize) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let reserve = (limit / 8).min(RESERVE);
    limit.saturating_sub(in_use + reserve).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_others() {
        assert_eq!(within(64, 40), 16);
        assert_eq!(within(1 << 20, 40), (1 << 20) - 296);
        assert_eq!(within(20, 40), 1);
    }
}
