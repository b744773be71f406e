//! What tokens are judged by and made with: issuers, their keys, revocations, and the host's own identity.

pub(in crate::serve) mod board;
pub(in crate::serve) mod control_callers;
pub(in crate::serve) mod job_tokens;
pub(in crate::serve) mod own_identity;
pub(in crate::serve) mod token_counters;
