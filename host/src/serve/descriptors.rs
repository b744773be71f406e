//! File descriptors: each connection takes one, and each compiled component.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
