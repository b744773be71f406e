//! The interfaces of WASI that this host provides.

use super::generation::Generation;
use super::interface::InterfaceName;
use super::interfaces;

/// A package and those of its interfaces that are provided.
type Package = (&'static str, &'static [&'static str]);

const WASI_0_2: &[Package] = &[
    (
        "wasi:cli",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:clocks", &["monotonic-clock", "wall-clock"]),
    ("wasi:filesystem", &["preopens", "types"]),
    ("wasi:http", &["outgoing-handler", "types"]),
    ("wasi:io", &["error", "poll", "streams"]),
    ("wasi:random", &["insecure", "insecure-seed", "random"]),
    (
        "wasi:sockets",
        &[
            "instance-network",
            "ip-name-lookup",
            "network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
    ),
];

const WASI_0_3: &[Package] = &[
    (
        "wasi:cli",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
            "types",
        ],
    ),
    ("wasi:clocks", &["monotonic-clock", "system-clock", "types"]),
    ("wasi:filesystem", &["preopens", "types"]),
    ("wasi:http", &["client", "types"]),
    ("wasi:random", &["insecure", "insecure-seed", "random"]),
    ("wasi:sockets", &["ip-name-lookup", "types"]),
];

/// Whether this host provides the interface `name`: all of the releases of WASI 0.2 and 0.3, their candidates excluded, and
/// some drafts.
///
/// ```
/// use host_sandbox::inspection::is_provided;
///
/// assert!(is_provided("wasi:io/poll@0.2.6") && is_provided("wasi:http/client@0.3.0"));
/// assert!(is_provided("wasi:config/store@0.2.0-rc.1"));
/// assert!(!is_provided("wasi:http/client@0.3.0-rc-2026-03-15"));
/// ```
pub fn is_provided(name: &str) -> bool {
    InterfaceName::parse(name)
        .is_some_and(|name| is_of_release(&name) || interfaces::is_provided(&name))
}

/// Whether `name` is an interface of a release of WASI that is provided.
fn is_of_release(name: &InterfaceName<'_>) -> bool {
    let generations = [
        (Generation::Wasi02, WASI_0_2),
        (Generation::Wasi03, WASI_0_3),
    ];
    generations.into_iter().any(|(generation, packages)| {
        name.links_with(generation.release())
            && packages.iter().any(|(known, interfaces)| {
                *known == name.package && interfaces.contains(&name.interface)
            })
    })
}
