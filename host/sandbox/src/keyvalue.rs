//! What a function keeps from one execution to the next: buckets of keys and values, which the program around the sandbox
//! keeps for it.

use std::fmt;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;

/// What a bucket answers once it has done what it was asked; if it did not, why, in words for the guest.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// Tells one writing of a value from every other one.
pub type Version = i64;

/// The buckets of one function. `wasi:keyvalue` opens them.
pub trait KeyValueStore: fmt::Debug + Send + Sync {
    /// The bucket that the function knows by `name`; nothing if there is none for it.
    fn open(&self, name: &str) -> Option<Arc<dyn KeyValueBucket>>;
}

/// A bucket of keys and values.
///
/// Its methods are called on threads that serve, so they must not block; what takes time belongs into the answer. An answer
/// may be dropped before it is there. The sandbox bounds what a guest sends by
/// [`Limits::host_copies`](crate::Limits::host_copies), and charges what an answer holds to the memory of the execution; how
/// much there may be in a bucket, and in one answer, is for the bucket to say.
pub trait KeyValueBucket: Send + Sync {
    /// The value of each of `keys`, in their order.
    fn get(&self, keys: Vec<String>) -> Answer<Vec<Option<Vec<u8>>>>;

    /// Whether there is a value.
    fn exists(&self, key: String) -> Answer<bool>;

    /// Sets all of `entries`, or none if it fails.
    fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<()>;

    /// Removes those of `keys` that are there.
    fn delete(&self, keys: Vec<String>) -> Answer<()>;

    /// A page of the keys: the first, or the one that begins after `cursor`.
    fn keys(&self, cursor: Option<u64>) -> Answer<KeyPage>;

    /// Adds `delta` to the number that the value is, or to 0 if there is none, unless the sum is out of `range`. Answers the
    /// sum.
    fn add(&self, key: String, delta: i128, range: RangeInclusive<i128>) -> Answer<i128>;

    /// The value and which writing of it that is.
    fn read(&self, key: String) -> Answer<Option<(Version, Vec<u8>)>>;

    /// Sets the value if nobody has written it since it was `seen`; none if there was none. Otherwise answers which
    /// writing is there by now.
    fn swap(&self, key: String, seen: Option<Version>, value: Vec<u8>) -> Answer<Swapped>;
}

/// Whether a value was swapped; if not, which writing of it is there instead.
pub type Swapped = Result<(), Option<Version>>;

/// Some keys of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// In the order in which they came.
    pub keys: Vec<String>,
    /// Where the next page begins; nothing if this is the last one.
    pub cursor: Option<u64>,
}
