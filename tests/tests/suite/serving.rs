//! The listener: connections, requests, answers, statuses, start and end.

mod admission;
mod answers;
mod bad_input;
mod broken_outputs;
mod clients;
mod control_plane;
mod diagnostics;
mod drain;
mod handed_over;
mod http1;
mod http2;
mod service_manager;
mod start;
mod statuses;
mod streaming;
mod timeouts;
mod tls;
