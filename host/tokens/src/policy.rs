//! Who may call: members by name, and rules on claims.

pub(crate) mod invokers;
pub(crate) mod member;
