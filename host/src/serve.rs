//! The serving process: its workers, its listener, and its way from start to drain.
//!
//! One worker per core, each a thread with a runtime and an accept queue of its own; a request stays on its worker from
//! accept to last byte. The control plane and the signals have a thread of their own, so a busy worker delays neither.

mod admission;
mod answer;
mod authority;
mod batched;
mod body;
mod connection;
mod drain;
mod invoke;
mod listener;
mod loads;
mod options;
mod prefixed;
mod protocol;
mod record;
mod run;
mod stall;
mod stream_task;
mod timed;
mod tls;
mod worker;

pub use options::{Access, ServeOptions, TlsFiles};
pub use run::{ServeError, run};
