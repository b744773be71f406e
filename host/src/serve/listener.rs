//! The listener: sockets, workers, connections, and the protocols that clients speak.

pub(in crate::serve) mod batched;
pub(in crate::serve) mod connection;
pub(in crate::serve) mod h2;
pub(in crate::serve) mod loads;
pub(in crate::serve) mod prefixed;
pub(in crate::serve) mod protocol;
pub(in crate::serve) mod sockets;
pub(in crate::serve) mod tls;
pub(in crate::serve) mod worker;
