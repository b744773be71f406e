//! Tokens as this host has them: issuers, whose keys are fetched over the network, and the host's own issuer, whose keys
//! and accounts are in the store.
//!
//! Tokens are judged by the crate `host_tokens`, which has no network, no store and no flags. What is here fetches key
//! sets for it ([`KeySource`]), keeps the keys of the host's own issuer and makes its tokens ([`OwnIssuer`]), reads
//! requests for token exchange ([`ExchangeRequest`]) and the
//! rules on claims that the store keeps, and says which setting helps a caller who is not let in ([`refusal_setting`]).
//! It knows nothing of listeners, functions or the command line.

pub(crate) mod access;
mod access_tokens;
mod account_address;
mod advice;
mod fetch;
mod kept_rule;
mod outside_issuer;
mod own_keys;
mod stored_issuer;
mod token_exchange;
pub(crate) mod token_file;

pub use access_tokens::{AccessTokenHolder, MadeAccessToken};
pub use account_address::{check_account_domain, check_account_name};
pub use advice::{AdvisedCaller, AdvisedRejection, refusal_setting, rejection_setting};
pub use fetch::{FetchError, KeyDocument, KeySource, KeyTls, parse as parse_keys_url};
pub use outside_issuer::OutsideIssuer;
pub use own_keys::{
    OWN, OwnIssuer, OwnIssuerError, TokenRequest, accounts_of, key_document, key_times,
    new_subject, own_key_set, own_revocations, readable_keys, revocations_of_disabled, revokes,
    signing_key, unrevoked_keys,
};
pub use token_exchange::{
    ExchangeAnswer, ExchangeError, ExchangeErrorCode, ExchangeRequest, LONGEST_FORM,
};
