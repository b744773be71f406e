//! Private functions: tokens, issuers and who may call.

mod addresses;
mod doctor;
mod explained;
mod forwarded;
mod invokers;
mod keys_over_time;
mod listener;
mod own_issuer;
mod providers;
mod refused;
mod refused_claims;
mod refused_forms;
mod refused_keys;
