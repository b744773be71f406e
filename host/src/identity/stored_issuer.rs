//! The host's own issuer, as the store knows it.

use host_tokens::SigningAlgorithm;

use super::own_keys::{OwnIssuer, OwnIssuerError};
use crate::store::Store;

/// What it is called while no host has said so: the control plane's default address.
const DEFAULT_URL: &str = "http://127.0.0.1:8081";

impl OwnIssuer {
    /// The issuer of the host that serves from `store`, or served last. New keys of it sign with `algorithm`, or as the
    /// newest one does that there is.
    ///
    /// # Errors
    /// If the store fails, or the issuer's name in it is no URL.
    pub fn of(store: &Store, algorithm: Option<SigningAlgorithm>) -> Result<Self, OwnIssuerError> {
        let host = store.serving_host()?;
        let url = host
            .as_ref()
            .map_or(DEFAULT_URL, |host| host.issuer.as_str());
        let url = url.parse()?;
        let keys = store.signing_keys()?;
        let newest = keys.last().and_then(|key| key.algorithm.parse().ok());
        Ok(Self {
            url,
            algorithm: algorithm.or(newest).unwrap_or_default(),
        })
    }
}
