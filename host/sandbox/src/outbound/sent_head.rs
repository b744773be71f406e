//! The heads of requests that are on their way, counted for as long as they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Uri};

use crate::field_size::head_bytes;

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
    use crate::field_size;

    #[test]
    fn a_head_counts_for_as_long_as_it_is_being_sent() {
        let sum = Arc::default();
        let uri = Uri::from_static("http://here/path?query");
        let value = http::HeaderValue::from_bytes(&[b'x'; 1000]).unwrap();
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static("long"), value)]);
        let sending = SentHead::new(&sum, &headers, &uri);
        assert_eq!(
            sum.load(Ordering::Relaxed),
            4 + 1000 + field_size::EACH_FIELD + 11
        );
        drop(sending);
        assert_eq!(sum.load(Ordering::Relaxed), 0);
    }
}
