//! What HTTP fields and targets take in memory, in bytes.

use http::{HeaderMap, Uri};

/// Bytes that a map takes for each field beyond those of its name and its value: its entry, with the room that maps
/// keep to grow, and its place in the index.
pub(crate) const EACH_FIELD: u64 = 160;

/// What `fields` take in memory, in bytes.
pub(crate) fn field_bytes(fields: &HeaderMap) -> u64 {
    let field = |name: &str, value: &[u8]| (name.len() + value.len()) as u64 + EACH_FIELD;
    fields
        .iter()
        .map(|(name, value)| field(name.as_str(), value.as_bytes()))
        .sum()
}

/// What a head takes in memory, in bytes.
pub(crate) fn head_bytes(headers: &HeaderMap, uri: &Uri) -> u64 {
    let target = uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    field_bytes(headers) + target as u64
}
