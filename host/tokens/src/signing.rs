//! An issuer of one's own: its keys, their rotation and its tokens.

pub(crate) mod access_token;
pub(crate) mod key;
pub(crate) mod mint;
pub(crate) mod public_jwk;
pub(crate) mod rotation;
