//! The process: how it starts, what it says of itself, and how it ends.

pub(in crate::serve) mod addresses;
pub(in crate::serve) mod announce;
pub(in crate::serve) mod assembled;
pub(in crate::serve) mod control_plane;
pub(in crate::serve) mod descriptors;
pub(in crate::serve) mod inherited;
pub(in crate::serve) mod jobs;
mod methods;
pub(in crate::serve) mod opened;
pub(in crate::serve) mod reload;
pub(in crate::serve) mod run;
pub(in crate::serve) mod sandbox_setup;
pub(in crate::serve) mod service_manager;
pub(in crate::serve) mod serving;
pub(in crate::serve) mod start;
mod token_file;
