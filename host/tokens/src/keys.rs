//! The keys of an issuer: read from what it publishes, and fetched again in time.

pub(crate) mod certificates;
pub(crate) mod key;
pub(crate) mod key_set;
pub(crate) mod refresh;
