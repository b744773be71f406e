//! How a function calls out: whom it may reach, and the client that takes its requests there.
//!
//! Nothing is reachable unless an [`OutboundRule`] names it by scheme, host and port. What a name resolves to is
//! checked as well: an address that is not public is refused unless it was named, and a connection is made to no
//! address but one that was checked, so a name server that changes its answer gains nothing. Redirects are answers
//! like any other; the host follows none.
//!
//! `OutboundClient` belongs to a function and pools its connections. `OutboundHooks` belongs to one execution and is what
//! `wasi:http/outgoing-handler` talks to.
//!
//! # For servers
//!
//! A program that calls out itself can do so by the same rules: [`address`] knows which addresses are public,
//! [`authorities`] whom a TLS client trusts, and [`tls_failure`] says what went wrong. [`check_host`], [`parse_port`] and
//! [`split_authority`] read hosts as strictly as rules are read.

pub mod address;
mod allow;
pub mod authorities;
mod body;
mod client;
mod connect;
mod destination;
mod failure;
mod hooks;
mod host;
mod policy;
mod range;
mod sent_head;
#[cfg(test)]
mod tests;
pub mod tls_failure;
mod upload;

pub use allow::{OutboundRule, RuleError};
pub(crate) use client::OutboundClient;
pub(crate) use hooks::{OutboundHooks, RefusalSink, TRACEPARENT};
pub use host::{HostError, check as check_host, parse_port, split_authority};
pub use policy::{AllowError, OutboundPolicy};
pub use range::{AddressRange, RangeError};
