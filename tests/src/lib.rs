//! A small language for specifications of the real binary: start a host, talk to it over sockets, read what it logs.
//!
//! ```no_run
//! use tests::Host;
//!
//! let host = Host::serve("echoes").arg("--timeout=1s").start();
//! assert_eq!(host.post("/", "a body").text(), "a body");
//! host.wait_for_log(|line| line.contains("finished with status code: 200"));
//! ```
//!
//! Everything here fails by panicking with what was expected and what the host said, and nothing waits without a bound.

#![forbid(unsafe_code)]

mod compiled;
mod control_plane;
pub mod crowd;
mod directory;
mod door;
mod h2;
mod host;
mod issuer;
mod jwk;
mod kept_log;
mod lines;
mod log;
mod memory;
mod methods;
mod open_metrics;
mod origin;
mod paths;
mod private;
mod project;
mod public_api;
mod reply;
pub mod served;
mod small_disk;
mod state;
mod target;
mod tls;
mod tls_front;
mod walkthrough;
mod wire;

pub use self::h2::{Http2, Stream};
pub use directory::Directory;
pub use door::Door;
pub use host::{FREE_PORTS, Host, HostBuilder, Output, Signal, Terminal};
pub use issuer::{Answers, Issuer, Key, Kind};
pub use jwk::changed;
pub use log::Row;
pub use memory::MIB;
pub use open_metrics::OpenMetrics;
pub use origin::Origin;
pub use paths::{guest, host_binary};
pub use private::{AUDIENCE, BAD_TOKEN, NO_TOKEN, assert_refused};
pub use project::new_project;
pub use public_api::public_api;
pub use reply::Reply;
pub use small_disk::can_mount;
pub use state::State;
pub use target::{Received, Target};
pub use tls::{Certificate, TlsWire};
pub use tls_front::TlsFront;
pub use walkthrough::{Walkthrough, page};
pub use wire::Wire;

use std::thread;
use std::time::{Duration, Instant};

/// How long anything that should happen may take. Long, because a loaded machine is slow; no specification that holds
/// ever waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often something is looked at that nobody announces.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until `is_so`, which it must be within [`PATIENCE`]; `what` is said otherwise.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it never comes to this: {what}");
        thread::sleep(LOOK);
    }
}
