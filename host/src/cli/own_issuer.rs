//! The host's own issuer, as commands know it.

use super::Message;
use crate::identity::{OwnIssuer, SigningAlgorithm};
use crate::store::Store;

/// What it is called while no host has said so: the control plane's default address.
const DEFAULT_URL: &str = "http://127.0.0.1:8081";

/// The issuer of the host that serves from `store`, or served last.
pub(super) fn own_issuer(store: &Store, algorithm: SigningAlgorithm) -> Result<OwnIssuer, Message> {
    let host = store.serving_host().map_err(|error| error.to_string())?;
    let url = host
        .as_ref()
        .map_or(DEFAULT_URL, |host| host.issuer.as_str());
    let url = url
        .parse()
        .map_err(|error| format!("the name of the host's own issuer: {error}"))?;
    Ok(OwnIssuer { url, algorithm })
}
