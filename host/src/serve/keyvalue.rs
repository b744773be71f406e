//! The buckets of functions: asked by the threads that serve, read and written by a thread of their own.
//!
//! What waits is written in one transaction, so that many callers wait for the disk together.

mod batches;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use host_sandbox::keyvalue::{Answer, KeyPage, KeyValueBucket, KeyValueStore, Swapped, Version};
use tokio::sync::{Semaphore, oneshot};

use super::readiness::Readiness;
use super::watched;
use crate::settings::FunctionSettings;
use crate::store::{BucketName, KeyValueError, KeyValueLedger, PAGE, Quota, Store, StoreError};

/// The most calls that may wait. Each has as much with it as a function may send at once.
const QUEUE: usize = 1024;
/// Calls of one function that may wait, or have an answer that nobody has taken. Further ones wait for these.
const QUEUE_OF_ONE: usize = 64;

const THREAD: &str = "key-values";

/// What functions are told if the database fails. The log says more.
const FAILED: &str = "the host's store failed";
const TOO_MANY: &str = "too many calls wait for the host's store";

/// All buckets.
pub(in crate::serve) struct KeyValues {
    place: Place,
    readiness: Arc<Readiness>,
    /// That of the thread, which the first call begins, and the first one after the thread has ended.
    queue: Mutex<Option<SyncSender<Job>>>,
    /// Whether it was said that the database fails, since it last took a write.
    has_told: AtomicBool,
}

/// Where values are kept.
#[derive(Clone, Debug)]
enum Place {
    Store(Arc<Store>),
    Directory(PathBuf),
    Memory,
}

/// What is to be done, and the reply to whoever asked, once it is on disk.
struct Job {
    is_write: bool,
    work: Box<dyn FnOnce(&KeyValueLedger<'_>) -> Reply + Send>,
}

type Reply = Box<dyn FnOnce() + Send>;

/// Which buckets a function has, and how much there may be in each.
#[derive(Clone, Debug)]
pub struct BucketOptions {
    /// The names that it shares with others.
    pub shared: Vec<String>,
    /// How much there may be.
    pub quota: Quota,
}

impl BucketOptions {
    /// What `settings` say of them.
    pub(crate) fn of(settings: &FunctionSettings) -> Self {
        Self {
            shared: settings.keyvalue_buckets.clone(),
            quota: Quota {
                entries: settings.keyvalue_entries.into(),
                bytes: settings.keyvalue_bytes,
            },
        }
    }
}

impl KeyValues {
    /// Buckets in `store`, else in the one of `directory`, else in memory for as long as the process lives.
    pub(in crate::serve) fn new(
        store: Option<Arc<Store>>,
        directory: Option<PathBuf>,
        readiness: Arc<Readiness>,
    ) -> Self {
        let directory = directory.map_or(Place::Memory, Place::Directory);
        Self {
            place: store.map_or(directory, Place::Store),
            readiness,
            queue: Mutex::new(None),
            has_told: AtomicBool::new(false),
        }
    }

    /// The buckets of the function or component whose own one is `own`.
    pub(in crate::serve) fn of(
        self: &Arc<Self>,
        own: BucketName,
        options: BucketOptions,
    ) -> Arc<dyn KeyValueStore> {
        Arc::new(Buckets {
            all: Arc::clone(self),
            own,
            options,
            calls: Arc::new(Semaphore::new(QUEUE_OF_ONE)),
        })
    }

    /// Has `job` done.
    fn ask(self: &Arc<Self>, job: Job) -> Result<(), String> {
        let queue = self.queue.lock();
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        let Some(known) = queue.as_ref() else {
            return self.begin(&mut queue, job);
        };
        match known.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(TOO_MANY.to_owned()),
            // The thread has ended, as its store could not be opened. By now it may be.
            Err(TrySendError::Disconnected(job)) => self.begin(&mut queue, job),
        }
    }

    /// Starts the thread that has the buckets, with `job` as the first.
    fn begin(
        self: &Arc<Self>,
        queue: &mut Option<SyncSender<Job>>,
        job: Job,
    ) -> Result<(), String> {
        let (sender, jobs) = sync_channel(QUEUE);
        // The thread ends when nobody can ask any more, so it must not keep this.
        let (place, all) = (self.place.clone(), Arc::downgrade(self));
        let readiness = Arc::clone(&self.readiness);
        let run = move || match open(place) {
            Ok(store) => watched::run(&readiness, THREAD, || batches::work(&store, &all, &jobs)),
            Err(error) => tell(&all, &error),
        };
        let thread = thread::Builder::new().name(THREAD.into());
        let begun = thread.spawn(run);
        begun.map_err(|error| format!("{FAILED}: {error}"))?;
        let sent = sender.try_send(job);
        *queue = Some(sender);
        sent.map_err(|_| FAILED.to_owned())
    }
}

/// Says that the database fails, once until it takes a write again.
fn tell(all: &Weak<KeyValues>, error: &dyn fmt::Display) {
    let is_told = all
        .upgrade()
        .is_none_or(|all| all.has_told.swap(true, Ordering::Relaxed));
    if !is_told {
        tracing::error!("keys and values of functions cannot be read or kept: {error}");
    }
}

fn open(place: Place) -> Result<Arc<Store>, StoreError> {
    match place {
        Place::Store(store) => Ok(store),
        Place::Directory(directory) => Store::open(&directory).map(Arc::new),
        Place::Memory => Store::in_memory().map(Arc::new),
    }
}

/// The buckets of one function.
struct Buckets {
    all: Arc<KeyValues>,
    own: BucketName,
    options: BucketOptions,
    calls: Arc<Semaphore>,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("own", &self.own)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl KeyValueStore for Buckets {
    fn open(&self, name: &str) -> Option<Arc<dyn KeyValueBucket>> {
        let bucket = match name {
            "" | "default" => self.own.clone(),
            _ if self.options.shared.iter().any(|shared| shared == name) => {
                BucketName::Shared(name.to_owned())
            }
            _ => return None,
        };
        Some(Arc::new(Bucket {
            all: Arc::clone(&self.all),
            name: bucket,
            quota: self.options.quota,
            calls: Arc::clone(&self.calls),
        }))
    }
}

/// A bucket, as one function may use it.
struct Bucket {
    all: Arc<KeyValues>,
    name: BucketName,
    quota: Quota,
    calls: Arc<Semaphore>,
}

impl Bucket {
    fn ask<T: Send + 'static>(
        &self,
        is_write: bool,
        work: impl FnOnce(&KeyValueLedger<'_>, &BucketName) -> Result<T, KeyValueError> + Send + 'static,
    ) -> Answer<T> {
        let (all, name) = (Arc::clone(&self.all), self.name.clone());
        let told = Arc::downgrade(&self.all);
        let calls = Arc::clone(&self.calls);
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            // The semaphore is never closed. It counts until the answer is taken, and if whoever asked is gone, until the job
            // is.
            let call = Arc::new(calls.acquire_owned().await);
            let queued = Arc::clone(&call);
            let work = Box::new(move |ledger: &KeyValueLedger<'_>| -> Reply {
                let _queued = queued;
                if sender.is_closed() {
                    return Box::new(|| {});
                }
                let done = work(ledger, &name).map_err(|error| {
                    if let KeyValueError::Database(source) = &error {
                        tell(&told, source);
                    }
                    error.to_string()
                });
                Box::new(move || drop(sender.send(done)))
            });
            all.ask(Job { is_write, work })?;
            let answer = receiver.await.unwrap_or_else(|_| Err(FAILED.into()));
            drop(call);
            answer
        })
    }
}

impl KeyValueBucket for Bucket {
    fn get(&self, keys: Vec<String>) -> Answer<Vec<Option<Vec<u8>>>> {
        self.ask(false, move |ledger, bucket| ledger.get(bucket, &keys))
    }

    fn exists(&self, key: String) -> Answer<bool> {
        self.ask(false, move |ledger, bucket| ledger.exists(bucket, &key))
    }

    fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<()> {
        let quota = self.quota;
        self.ask(true, move |ledger, bucket| {
            ledger.set(bucket, &entries, quota)
        })
    }

    fn delete(&self, keys: Vec<String>) -> Answer<()> {
        self.ask(true, move |ledger, bucket| {
            ledger.delete(bucket, &keys).map(drop)
        })
    }

    fn keys(&self, cursor: Option<u64>) -> Answer<KeyPage> {
        self.ask(false, move |ledger, bucket| {
            // One more, to see whether there are more.
            let mut entries = ledger.entries(bucket, cursor.unwrap_or(0), PAGE + 1)?;
            let is_last = entries.len() <= PAGE;
            entries.truncate(PAGE);
            let last = entries.last().map(|entry| entry.number);
            Ok(KeyPage {
                keys: entries.into_iter().map(|entry| entry.key).collect(),
                cursor: last.filter(|_| !is_last),
            })
        })
    }

    fn add(&self, key: String, delta: i128, range: RangeInclusive<i128>) -> Answer<i128> {
        let quota = self.quota;
        self.ask(true, move |ledger, bucket| {
            ledger.add(bucket, &key, delta, range, quota)
        })
    }

    fn read(&self, key: String) -> Answer<Option<(Version, Vec<u8>)>> {
        self.ask(false, move |ledger, bucket| ledger.read(bucket, &key))
    }

    fn swap(&self, key: String, seen: Option<Version>, value: Vec<u8>) -> Answer<Swapped> {
        let quota = self.quota;
        self.ask(true, move |ledger, bucket| {
            ledger.swap(bucket, &key, seen, value, quota)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(all: &Arc<KeyValues>, own: &str) -> Arc<dyn KeyValueStore> {
        let options = BucketOptions {
            shared: vec!["ours".into()],
            quota: Quota {
                entries: 1,
                bytes: 10,
            },
        };
        all.of(BucketName::Component(own.into()), options)
    }

    fn entry(key: &str) -> Vec<(String, Vec<u8>)> {
        vec![(key.into(), vec![1])]
    }

    #[tokio::test]
    async fn components_have_a_bucket_each_and_one_together() {
        let all = Arc::new(KeyValues::new(None, None, Arc::default()));
        let [one, other] = ["a", "b"].map(|own| buckets(&all, own));
        let own = one.open("default").unwrap();
        own.set(entry("k")).await.unwrap();
        assert!(one.open("").unwrap().exists("k".into()).await.unwrap());
        assert!(!other.open("").unwrap().exists("k".into()).await.unwrap());
        let full = own.set(entry("l")).await.unwrap_err();
        assert_eq!(full, "the bucket is full: its limit of entries is 1");
        one.open("ours").unwrap().set(entry("k")).await.unwrap();
        let shared = other.open("ours").unwrap();
        assert_eq!(shared.keys(None).await.unwrap().keys, ["k"]);
        assert!(one.open("b").is_none() && one.open("other").is_none());
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_told_until_it_can() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("state");
        std::fs::write(&place, "in its place").unwrap();
        let all = Arc::new(KeyValues::new(None, Some(place.clone()), Arc::default()));
        let own = buckets(&all, "a").open("").unwrap();
        for _ in 0..3 {
            assert_eq!(own.set(entry("k")).await.unwrap_err(), FAILED);
        }
        std::fs::remove_file(&place).unwrap();
        own.set(entry("k")).await.unwrap();
    }

    #[tokio::test]
    async fn a_queue_that_is_full_takes_no_more() {
        let all = KeyValues::new(None, None, Arc::default());
        let (queue, _jobs) = sync_channel(1);
        *all.queue.lock().unwrap() = Some(queue);
        let own = buckets(&Arc::new(all), "a").open("").unwrap();
        let waits = own.delete(vec!["k".into()]);
        let mut waits = std::pin::pin!(waits);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waits.as_mut().poll(&mut cx).is_pending());
        let refused = own.delete(vec!["k".into()]).await;
        assert_eq!(refused.unwrap_err(), TOO_MANY);
    }

    #[tokio::test]
    async fn calls_of_one_function_wait_for_each_other_and_leave_the_queue_to_others() {
        let all = KeyValues::new(None, None, Arc::default());
        let (queue, jobs) = sync_channel(QUEUE);
        *all.queue.lock().unwrap() = Some(queue);
        let own = buckets(&Arc::new(all), "a").open("").unwrap();
        let mut waiting: Vec<_> = (0..QUEUE_OF_ONE + 5)
            .map(|_| own.exists("k".into()))
            .collect();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        for call in &mut waiting {
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(jobs.try_iter().count(), QUEUE_OF_ONE);
    }
}
