//! What a token says, read strictly and not judged.

pub(crate) mod base64url;
pub(crate) mod claims;
pub(crate) mod header;
pub(crate) mod json;
pub(crate) mod jws;
pub(crate) mod numeric_date;
