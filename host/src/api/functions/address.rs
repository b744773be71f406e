//! Where functions answer.

use crate::store::{Store, StoreError};

/// Where functions answer while no host has said so.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Where the functions of `store` answer, or would: the address by which callers know the host, if it was told one. Without
/// a slash at the end.
///
/// # Errors
/// If the database fails.
pub(crate) fn base_url(store: &Store) -> Result<String, StoreError> {
    let host = store.serving_host()?.filter(|host| host.serves_functions);
    Ok(host.map_or_else(
        || DEFAULT_URL.to_owned(),
        |host| host.public_url.unwrap_or(host.url),
    ))
}

/// All addresses below which callers know the functions.
///
/// # Errors
/// If the database fails.
pub(crate) fn public_urls(store: &Store) -> Result<Vec<String>, StoreError> {
    let host = store.serving_host()?;
    Ok(host.map_or_else(|| vec![DEFAULT_URL.to_owned()], |host| host.public_urls))
}
