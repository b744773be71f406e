//! A request, from its head to its answer: who calls, whether they may, and what is said of it in the log.

pub(in crate::serve) mod answer;
pub(in crate::serve) mod authenticate;
pub(in crate::serve) mod body;
pub(in crate::serve) mod caller;
pub(in crate::serve) mod confined;
pub(in crate::serve) mod context;
pub(in crate::serve) mod cookies;
pub(in crate::serve) mod credentials;
pub(in crate::serve) mod fields;
pub(in crate::serve) mod forwarded;
pub(in crate::serve) mod invoke;
pub(in crate::serve) mod peer;
pub(in crate::serve) mod record;
pub(in crate::serve) mod refusals;
pub(in crate::serve) mod trace;
pub(in crate::serve) mod upload;
pub(in crate::serve) mod verdicts;
