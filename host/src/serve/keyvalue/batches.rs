//! The thread that reads and writes buckets: what waits is done in one transaction after the other.

use std::collections::VecDeque;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use super::{Job, KeyValues, tell};
use crate::store::{KeyValueLedger, Store};

/// The most calls that are done in one transaction, and for how long calls are added to it.
const BATCH: usize = 64;
const BATCH_TIME: Duration = Duration::from_millis(20);
/// How long others may take the database between two transactions, at the least, and as a part of the time that the last one
/// took. Other processes try now and then whether it is free, and would seldom find it so.
const GAP: Duration = Duration::from_micros(100);
const GAP_PART: u32 = 8;

/// Does what is asked, until nobody can ask any more.
pub(super) fn work(store: &Store, all: &Weak<KeyValues>, jobs: &Receiver<Job>) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match jobs.recv() {
                Ok(first) => waiting.push_back(first),
                Err(_) => return,
            }
        }
        waiting.extend(jobs.try_iter().take(BATCH.saturating_sub(waiting.len())));
        // All of them wait at this moment, so each order is as good as another. What is only read need not wait for the disk.
        let (writes, reads): (VecDeque<_>, VecDeque<_>) =
            waiting.drain(..).partition(|job| job.is_write);
        waiting.extend(batch(store, all, false, reads));
        if !writes.is_empty() {
            let begun = Instant::now();
            waiting.extend(batch(store, all, true, writes));
            thread::sleep(GAP.max(begun.elapsed() / GAP_PART));
        }
    }
}

/// Does as many of `jobs` as take no long time, in one transaction. Answers which are left.
fn batch(
    store: &Store,
    all: &Weak<KeyValues>,
    is_write: bool,
    mut jobs: VecDeque<Job>,
) -> VecDeque<Job> {
    if jobs.is_empty() {
        return jobs;
    }
    let some = |ledger: &KeyValueLedger<'_>| {
        // By now the database is ours, for which others may have had us wait.
        let begun = Instant::now();
        let mut replies = Vec::new();
        while begun.elapsed() < BATCH_TIME
            && !ledger.is_given_up()
            && let Some(job) = jobs.pop_front()
        {
            replies.push((job.work)(ledger));
        }
        replies
    };
    // Who gets no reply is told that it failed.
    let done = match is_write {
        true => store
            .check_in_place()
            .and_then(|()| store.write_keyvalue(some)),
        false => store.read_keyvalue(some),
    };
    match done {
        Ok(replies) => {
            let has_written = is_write && !replies.is_empty();
            replies.into_iter().for_each(|reply| reply());
            if has_written && let Some(all) = all.upgrade() {
                all.has_told.store(false, Ordering::Relaxed);
            }
            jobs
        }
        Err(error) => {
            tell(all, &error);
            // Else those that could not even begin would be tried for ever.
            VecDeque::new()
        }
    }
}
