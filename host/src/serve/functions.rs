//! The functions that are served: where they come from, who may call them, and how many executions they may have.

pub(in crate::serve) mod admission;
pub(in crate::serve) mod catalog;
pub(in crate::serve) mod component;
pub(in crate::serve) mod counters;
pub(in crate::serve) mod declared;
pub(in crate::serve) mod load;
pub(in crate::serve) mod registry;
pub(in crate::serve) mod routes;
pub(in crate::serve) mod shares;
