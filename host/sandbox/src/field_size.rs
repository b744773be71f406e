//! What HTTP fields and targets take in memory, in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// A head that is being sent, until this is dropped.
pub(crate) struct SentHead {
    bytes: u64,
    sum: Arc<AtomicU64>,
}

impl SentHead {
    pub(crate) fn new(sum: &Arc<AtomicU64>, headers: &HeaderMap, uri: &Uri) -> Self {
        let bytes = head_bytes(headers, uri);
        sum.fetch_add(bytes, Ordering::Relaxed);
        Self {
            bytes,
            sum: Arc::clone(sum),
        }
    }
}

impl Drop for SentHead {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_counts_for_as_long_as_it_is_being_sent() {
        let sum = Arc::default();
        let uri = Uri::from_static("http://here/path?query");
        let value = http::HeaderValue::from_bytes(&[b'x'; 1000]).unwrap();
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static("long"), value)]);
        let sending = SentHead::new(&sum, &headers, &uri);
        assert_eq!(sum.load(Ordering::Relaxed), 4 + 1000 + EACH_FIELD + 11);
        drop(sending);
        assert_eq!(sum.load(Ordering::Relaxed), 0);
    }
}
