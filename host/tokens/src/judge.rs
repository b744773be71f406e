//! Whether a token is good: lists of checks, each with a reason to refuse.

pub(crate) mod check;
pub(crate) mod claim_checks;
pub(crate) mod control_caller;
pub(crate) mod refusal;
pub(crate) mod signature_checks;
pub(crate) mod standing;
pub(crate) mod verified;
pub(crate) mod verifier;
