//! What those who follow a store hear of it.

use std::fs;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Scratch, name, with};
use crate::store::{JobName, JobSettings, POLL, Store, watch};

#[tokio::test(start_paused = true)]
async fn who_follows_a_store_hears_of_each_change_whoever_made_it_and_of_nothing_else() {
    let scratch = Scratch::new();
    let (one, other) = (Arc::new(scratch.store()), scratch.store());
    let mut changes = one.changes();
    tokio::spawn(watch(Arc::clone(&one)));
    changes.changed().await.unwrap();
    for store in [&*one, &other] {
        store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
        changes.changed().await.unwrap();
        assert_eq!(*changes.borrow(), one.version().ok());
    }
    tokio::time::sleep(POLL * 5).await;
    assert!(!changes.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_follows_a_store_hears_of_what_is_wanted_of_jobs() {
    let store = Arc::new(Store::in_memory().unwrap());
    let mut changes = store.changes();
    tokio::spawn(watch(Arc::clone(&store)));
    changes.changed().await.unwrap();
    let (job, now): (JobName, _) = ("j".parse().unwrap(), Timestamp::now());
    let wanted: [&dyn Fn(); 4] = [
        &|| {
            drop(
                store
                    .create_job(&job, &JobSettings::default(), now)
                    .unwrap(),
            )
        },
        &|| drop(store.change_job(&job, now, |_| Ok(())).unwrap()),
        &|| {
            store.request_run(&job, now).unwrap();
        },
        &|| store.delete_job(&job).unwrap(),
    ];
    for want in wanted {
        want();
        changes.changed().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_follows_a_store_hears_that_its_file_is_away_and_back() {
    let scratch = Scratch::new();
    let store = Arc::new(scratch.store());
    let mut changes = store.changes();
    tokio::spawn(watch(Arc::clone(&store)));
    changes.changed().await.unwrap();
    let (file, away) = (scratch.file("host.db"), scratch.file("away"));
    for (from, to, is_there) in [(&file, &away, false), (&away, &file, true)] {
        fs::rename(from, to).unwrap();
        changes.changed().await.unwrap();
        assert_eq!(changes.borrow().is_some(), is_there);
    }
}
