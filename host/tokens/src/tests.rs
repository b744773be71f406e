//! What a token must be like to be accepted, judged whole: a token as it came, keys as they were published, a verdict.

mod claims;
mod differential;
mod explain;
pub(super) mod forge;
mod headers;
mod rfcs;
#[cfg(feature = "peers")]
mod second_opinion;
mod signatures;
mod standing;
mod times;
mod wycheproof;
mod wycheproof_tokens;
