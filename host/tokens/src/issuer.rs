//! The issuers that are trusted, and what their tokens must be like.

pub(crate) mod claim_match;
pub(crate) mod config;
pub(crate) mod email;
pub(crate) mod issuers;
pub(crate) mod presets;
pub(crate) mod url;
