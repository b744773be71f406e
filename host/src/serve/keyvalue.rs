//! The buckets of functions: asked by the threads that serve, read and written by a thread of their own.
//!
//! What waits is written in one transaction, so that many callers wait for the disk together.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use host_sandbox::keyvalue::{Answer, KeyPage, KeyValueBucket, KeyValueStore, Swapped, Version};
use tokio::sync::oneshot;

use super::readiness::Readiness;
use super::watched;
use crate::settings::FunctionSettings;
use crate::store::{BucketName, KeyValueError, KeyValueLedger, PAGE, Quota, Store, StoreError};

/// The most calls that may wait. Each has as much with it as a function may send at once.
const QUEUE: usize = 1024;
/// The most calls that are done in one transaction.
const BATCH: usize = 256;
/// How long others may take the database between two transactions, at the least, and as a part of the time that the last one
/// took. Other processes try now and then whether it is free, and would seldom find it so.
const GAP: Duration = Duration::from_micros(100);
const GAP_PART: u32 = 8;

const THREAD: &str = "key-values";

/// What functions are told if the database fails. The log says more.
const FAILED: &str = "the host's store failed";
const TOO_MANY: &str = "too many calls wait for the host's store";

/// All buckets.
pub(in crate::serve) struct KeyValues {
    place: Place,
    readiness: Arc<Readiness>,
    /// Begun by the first call; none if that failed.
    queue: OnceLock<Option<SyncSender<Job>>>,
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
            queue: OnceLock::new(),
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
        })
    }

    /// Has `job` done.
    fn ask(&self, job: Job) -> Result<(), String> {
        let queue = self.queue.get_or_init(|| {
            let begun = begin(self.place.clone(), Arc::clone(&self.readiness));
            begun
                .inspect_err(|error| tracing::error!("functions find no keys and values: {error}"))
                .ok()
        });
        let queue = queue.as_ref().ok_or(FAILED)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => TOO_MANY.to_owned(),
            TrySendError::Disconnected(_) => FAILED.to_owned(),
        })
    }
}

/// Starts the thread that has the buckets in `place`.
fn begin(place: Place, readiness: Arc<Readiness>) -> Result<SyncSender<Job>, String> {
    let (queue, jobs) = sync_channel(QUEUE);
    let thread = thread::Builder::new().name(THREAD.into());
    let run = move || match open(place) {
        Ok(store) => watched::run(&readiness, THREAD, || work(&store, &jobs)),
        Err(error) => tracing::error!("functions find no keys and values: {error}"),
    };
    thread.spawn(run).map_err(|error| error.to_string())?;
    Ok(queue)
}

fn open(place: Place) -> Result<Arc<Store>, StoreError> {
    match place {
        Place::Store(store) => Ok(store),
        Place::Directory(directory) => Store::open(&directory).map(Arc::new),
        Place::Memory => Store::in_memory().map(Arc::new),
    }
}

/// Does what is asked, until nobody can ask any more.
fn work(store: &Store, jobs: &Receiver<Job>) {
    let mut has_failed = false;
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        let begun = Instant::now();
        let is_write = batch.iter().any(|job| job.is_write);
        let all = |ledger: &KeyValueLedger<'_>| {
            let replies = batch.into_iter().map(|job| (job.work)(ledger));
            replies.collect::<Vec<_>>()
        };
        let done = match is_write {
            true => store.write_keyvalue(all),
            false => store.read_keyvalue(all),
        };
        // Who gets no reply is told that it failed.
        match done {
            Ok(replies) => {
                replies.into_iter().for_each(|reply| reply());
                has_failed = false;
            }
            Err(error) if !has_failed => {
                tracing::error!("keys and values of functions cannot be kept: {error}");
                has_failed = true;
            }
            Err(_) => {}
        }
        if is_write {
            thread::sleep(GAP.max(begun.elapsed() / GAP_PART));
        }
    }
}

/// The buckets of one function.
struct Buckets {
    all: Arc<KeyValues>,
    own: BucketName,
    options: BucketOptions,
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
        }))
    }
}

/// A bucket, as one function may use it.
struct Bucket {
    all: Arc<KeyValues>,
    name: BucketName,
    quota: Quota,
}

impl Bucket {
    fn ask<T: Send + 'static>(
        &self,
        is_write: bool,
        work: impl FnOnce(&KeyValueLedger<'_>, &BucketName) -> Result<T, KeyValueError> + Send + 'static,
    ) -> Answer<T> {
        let (sender, receiver) = oneshot::channel();
        let name = self.name.clone();
        let work = Box::new(move |ledger: &KeyValueLedger<'_>| -> Reply {
            let done = work(ledger, &name).map_err(|error| error.to_string());
            // Whoever asked may be gone.
            Box::new(move || drop(sender.send(done)))
        });
        let asked = self.all.ask(Job { is_write, work });
        Box::pin(async move {
            asked?;
            receiver.await.unwrap_or_else(|_| Err(FAILED.into()))
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
    async fn what_cannot_be_kept_is_told_at_once_and_afterwards() {
        let nowhere = Some("/dev/null/nowhere".into());
        let all = Arc::new(KeyValues::new(None, nowhere, Arc::default()));
        let own = buckets(&all, "a").open("").unwrap();
        for _ in 0..3 {
            assert_eq!(own.set(entry("k")).await.unwrap_err(), FAILED);
        }
    }

    #[tokio::test]
    async fn a_queue_that_is_full_takes_no_more() {
        let all = KeyValues::new(None, None, Arc::default());
        let (queue, _jobs) = sync_channel(1);
        assert!(all.queue.set(Some(queue)).is_ok());
        let own = buckets(&Arc::new(all), "a").open("").unwrap();
        let _waits = own.delete(vec!["k".into()]);
        let refused = own.delete(vec!["k".into()]).await;
        assert_eq!(refused.unwrap_err(), TOO_MANY);
    }
}
