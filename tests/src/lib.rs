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

mod directory;
mod h2;
mod host;
mod lines;
mod log;
mod memory;
mod origin;
mod paths;
mod reply;
mod tls;
mod walkthrough;
mod wire;

pub use self::h2::{Http2, Stream};
pub use directory::Directory;
pub use host::{Host, HostBuilder, Output, Signal};
pub use log::Row;
pub use memory::MIB;
pub use origin::Origin;
pub use paths::{guest, host_binary};
pub use reply::Reply;
pub use tls::{Certificate, TlsWire};
pub use walkthrough::{Walkthrough, page};
pub use wire::Wire;

use std::time::Duration;

/// How long anything that should happen may take. Long, because a loaded machine is slow; no specification that holds
/// ever waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);
