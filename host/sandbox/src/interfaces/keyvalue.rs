//! `wasi:keyvalue`: buckets that outlast the execution.
//!
//! There are two drafts. They differ in cursors, in the numbers that are added to, and in what `get-many` answers; only the
//! later one can compare and swap.

use std::ops::RangeInclusive;
use std::sync::Arc;

use wasmtime::component::{ComponentType, Linker, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::Provided;
use crate::keyvalue::{Answer, KeyPage, KeyValueBucket, Version};
use crate::requests::identify;
use crate::state::State;

pub(super) const PROVIDED: Provided = Provided {
    package: "wasi:keyvalue",
    interfaces: &["atomics", "batch", "store"],
    versions: &["0.2.0-draft", "0.2.0-draft2"],
};

/// A bucket that a guest has opened. It is the function's, so an instance may keep it for its next request.
pub(crate) struct Bucket(Arc<dyn KeyValueBucket>);

/// A value that a guest is about to swap.
pub(crate) struct Cas {
    bucket: Arc<dyn KeyValueBucket>,
    pub(crate) key: String,
    /// Which writing of it the guest knows; nothing if there was no value.
    seen: Option<Version>,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    #[expect(dead_code, reason = "it would tell that there is such a bucket")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    Store(Error),
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

type Store<'a> = StoreContextMut<'a, State>;
type Told<T, E = Error> = Result<(std::result::Result<T, E>,)>;

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    for version in PROVIDED.versions {
        let mut store = linker.instance(&format!("wasi:keyvalue/store@{version}"))?;
        opening(&mut store)?;
        values(&mut store)?;
        batches(&mut linker.instance(&format!("wasi:keyvalue/batch@{version}"))?)?;
    }
    draft(linker)?;
    draft2(linker)?;
    swapping(&mut linker.instance("wasi:keyvalue/atomics@0.2.0-draft2")?)
}

fn opening(store: &mut LinkerInstance<'_, State>) -> Result<()> {
    store.resource(
        "bucket",
        ResourceType::host::<Bucket>(),
        |mut store: Store<'_>, rep| {
            let bucket = Resource::<Bucket>::new_own(rep);
            store.data_mut().table.delete(bucket)?;
            Ok(())
        },
    )?;
    store.func_wrap(
        "open",
        |mut store: Store<'_>, (name,): (String,)| -> Told<Resource<Bucket>> {
            let state = store.data_mut();
            let known = state.given.keyvalue.as_ref();
            Ok((match known.and_then(|known| known.open(&name)) {
                Some(bucket) => Ok(state.table.push(Bucket(bucket))?),
                None => Err(Error::NoSuchStore),
            },))
        },
    )
}

fn values(store: &mut LinkerInstance<'_, State>) -> Result<()> {
    store.func_wrap_async(
        "[method]bucket.get",
        |store: Store<'_>, (bucket, key): (Resource<Bucket>, String)| {
            let ask = |bucket: &dyn KeyValueBucket| bucket.get(vec![key]);
            Box::new(asked(
                store,
                bucket,
                ask,
                |values| in_values(values),
                |values| values.into_iter().next().flatten(),
            ))
        },
    )?;
    store.func_wrap_async(
        "[method]bucket.set",
        |store: Store<'_>, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| {
            let ask = |bucket: &dyn KeyValueBucket| bucket.set(vec![(key, value)]);
            Box::new(asked(store, bucket, ask, nothing, |done| done))
        },
    )?;
    store.func_wrap_async(
        "[method]bucket.delete",
        |store: Store<'_>, (bucket, key): (Resource<Bucket>, String)| {
            let ask = |bucket: &dyn KeyValueBucket| bucket.delete(vec![key]);
            Box::new(asked(store, bucket, ask, nothing, |done| done))
        },
    )?;
    store.func_wrap_async(
        "[method]bucket.exists",
        |store: Store<'_>, (bucket, key): (Resource<Bucket>, String)| {
            let ask = |bucket: &dyn KeyValueBucket| bucket.exists(key);
            Box::new(asked(store, bucket, ask, nothing, |exists| exists))
        },
    )
}

fn batches(batch: &mut LinkerInstance<'_, State>) -> Result<()> {
    batch.func_wrap_async(
        "set-many",
        |store: Store<'_>, (bucket, entries): (Resource<Bucket>, Vec<(String, Vec<u8>)>)| {
            let ask = |bucket: &dyn KeyValueBucket| bucket.set(entries);
            Box::new(asked(store, bucket, ask, nothing, |done| done))
        },
    )?;
    batch.func_wrap_async(
        "delete-many",
        |store: Store<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
            let ask = |bucket: &dyn KeyValueBucket| bucket.delete(keys);
            Box::new(asked(store, bucket, ask, nothing, |done| done))
        },
    )
}

/// What only the earlier draft has.
fn draft(linker: &mut Linker<State>) -> Result<()> {
    linker
        .instance("wasi:keyvalue/store@0.2.0-draft")?
        .func_wrap_async(
            "[method]bucket.list-keys",
            |store: Store<'_>, (bucket, cursor): (Resource<Bucket>, Option<u64>)| {
                let ask = move |bucket: &dyn KeyValueBucket| bucket.keys(cursor);
                Box::new(asked(store, bucket, ask, in_page, |page| KeyResponse {
                    keys: page.keys,
                    cursor: page.cursor,
                }))
            },
        )?;
    linker
        .instance("wasi:keyvalue/atomics@0.2.0-draft")?
        .func_wrap_async(
            "increment",
            |store: Store<'_>, (bucket, key, delta): (Resource<Bucket>, String, u64)| {
                const RANGE: RangeInclusive<i128> = 0..=u64::MAX as i128;
                let ask = move |bucket: &dyn KeyValueBucket| bucket.add(key, delta.into(), RANGE);
                Box::new(asked(store, bucket, ask, nothing, |sum| sum as u64))
            },
        )?;
    linker
        .instance("wasi:keyvalue/batch@0.2.0-draft")?
        .func_wrap_async(
            "get-many",
            |store: Store<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
                let names = keys.clone();
                let ask = |bucket: &dyn KeyValueBucket| bucket.get(keys);
                Box::new(asked(
                    store,
                    bucket,
                    ask,
                    |values| in_values(values),
                    |values| {
                        let entry = |(key, value): (_, Option<_>)| value.map(|value| (key, value));
                        names.into_iter().zip(values).map(entry).collect::<Vec<_>>()
                    },
                ))
            },
        )
}

/// What only the later draft has, but for swapping.
fn draft2(linker: &mut Linker<State>) -> Result<()> {
    linker
        .instance("wasi:keyvalue/store@0.2.0-draft2")?
        .func_wrap_async(
            "[method]bucket.list-keys",
            |store: Store<'_>, (bucket, cursor): (Resource<Bucket>, Option<String>)| {
                let ask = move |bucket: &dyn KeyValueBucket| -> Answer<KeyPage> {
                    match cursor.map(|cursor| cursor.parse()).transpose() {
                        Ok(cursor) => bucket.keys(cursor),
                        Err(_) => {
                            Box::pin(async { Err("the cursor is not of this bucket".into()) })
                        }
                    }
                };
                Box::new(asked(store, bucket, ask, in_page, |page| KeyResponse {
                    keys: page.keys,
                    cursor: page.cursor.map(|cursor| cursor.to_string()),
                }))
            },
        )?;
    linker
        .instance("wasi:keyvalue/atomics@0.2.0-draft2")?
        .func_wrap_async(
            "increment",
            |store: Store<'_>, (bucket, key, delta): (Resource<Bucket>, String, i64)| {
                const RANGE: RangeInclusive<i128> = i64::MIN as i128..=i64::MAX as i128;
                let ask = move |bucket: &dyn KeyValueBucket| bucket.add(key, delta.into(), RANGE);
                Box::new(asked(store, bucket, ask, nothing, |sum| sum as i64))
            },
        )?;
    linker
        .instance("wasi:keyvalue/batch@0.2.0-draft2")?
        .func_wrap_async(
            "get-many",
            |store: Store<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
                let names = keys.clone();
                let ask = |bucket: &dyn KeyValueBucket| bucket.get(keys);
                Box::new(asked(
                    store,
                    bucket,
                    ask,
                    |values| in_values(values),
                    |values| names.into_iter().zip(values).collect::<Vec<_>>(),
                ))
            },
        )
}

fn swapping(atomics: &mut LinkerInstance<'_, State>) -> Result<()> {
    atomics.resource(
        "cas",
        ResourceType::host::<Cas>(),
        |mut store: Store<'_>, rep| {
            let cas = Resource::<Cas>::new_own(rep);
            store.data_mut().table.delete(cas)?;
            Ok(())
        },
    )?;
    atomics.func_wrap_async(
        "[static]cas.new",
        |store: Store<'_>, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(new_cas(store, bucket, key))
        },
    )?;
    atomics.func_wrap_async(
        "[method]cas.current",
        |store: Store<'_>, (cas,): (Resource<Cas>,)| Box::new(current(store, cas)),
    )?;
    atomics.func_wrap_async(
        "swap",
        |store: Store<'_>, (cas, value): (Resource<Cas>, Vec<u8>)| {
            Box::new(swap(store, cas, value))
        },
    )
}

async fn new_cas(
    mut store: Store<'_>,
    bucket: Resource<Bucket>,
    key: String,
) -> Told<Resource<Cas>> {
    let bucket = Arc::clone(&store.data().table.get(&bucket)?.0);
    Ok((match wait(&mut store, bucket.read(key.clone())).await {
        Ok(found) => {
            store.data_mut().hold(key.len() as u64)?;
            let seen = found.map(|(version, _)| version);
            Ok(store.data_mut().table.push(Cas { bucket, key, seen })?)
        }
        Err(error) => Err(error),
    },))
}

/// The value by now. From here on the guest knows this one, so a swap holds it against this.
async fn current(mut store: Store<'_>, cas: Resource<Cas>) -> Told<Option<Vec<u8>>> {
    let asked = store.data().table.get(&cas)?;
    let answer = asked.bucket.read(asked.key.clone());
    Ok((match wait(&mut store, answer).await {
        Ok(found) => {
            let (seen, value) = found.unzip();
            store.data_mut().table.get_mut(&cas)?.seen = seen;
            let bytes = value.as_ref().map_or(0, Vec::len);
            store.data_mut().pass(bytes as u64)?;
            Ok(value)
        }
        Err(error) => Err(error),
    },))
}

async fn swap(mut store: Store<'_>, cas: Resource<Cas>, value: Vec<u8>) -> Told<(), CasError> {
    let cas = store.data_mut().table.delete(cas)?;
    let answer = cas.bucket.swap(cas.key.clone(), cas.seen, value);
    Ok((match wait(&mut store, answer).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(seen)) => {
            let again = store.data_mut().table.push(Cas { seen, ..cas })?;
            Err(CasError::Failed(again))
        }
        Err(error) => Err(CasError::Store(error)),
    },))
}

/// Asks `bucket` and hands over what `give` makes of the answer, which holds so many `bytes`.
async fn asked<T, R>(
    mut store: Store<'_>,
    bucket: Resource<Bucket>,
    ask: impl FnOnce(&dyn KeyValueBucket) -> Answer<T>,
    bytes: impl FnOnce(&T) -> usize,
    give: impl FnOnce(T) -> R,
) -> Told<R> {
    let answer = ask(&*store.data().table.get(&bucket)?.0);
    Ok((match wait(&mut store, answer).await {
        Ok(answer) => {
            store.data_mut().pass(bytes(&answer) as u64)?;
            Ok(give(answer))
        }
        Err(error) => Err(error),
    },))
}

/// Waits for the bucket, which may take as long as the disk does.
async fn wait<T>(store: &mut Store<'_>, answer: Answer<T>) -> std::result::Result<T, Error> {
    // Without a task there is nobody to be noted.
    let _ = identify(store);
    store.data().shared.note_may_wait();
    answer.await.map_err(Error::Other)
}

fn in_values(values: &[Option<Vec<u8>>]) -> usize {
    values.iter().flatten().map(Vec::len).sum()
}

fn in_page(page: &KeyPage) -> usize {
    page.keys.iter().map(String::len).sum()
}

fn nothing<T>(_: &T) -> usize {
    0
}
