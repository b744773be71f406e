//! One round of the scheduler: changes of jobs are taken up, what has ended is written down, what is due is decided, and what
//! is to be tried begins.
//!
//! A round is one transaction of the store, and has the time as a parameter. All that it goes by stands in the store, so
//! that a round after a crash is a round like any other. Nothing else writes when a job is due, or what becomes of a due time.

mod begin;
mod change;
mod claim;
mod settle;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::attempt_limits::{AttemptLimits, Permit};
use super::clock::Moment;
use super::disabled::DisabledJob;
use super::retry::Retry;
use super::{Job, trace};
use crate::logs::Trace;
use crate::store::{AttemptEnd, JobBatch, JobName, RunKey, RunState, Store, StoreError};
pub(super) use settle::failures;

/// How many changed jobs are taken up in one round, how many jobs are looked at, and how many runs are read.
pub(super) const BATCH: usize = 1_000;

/// An attempt that begins.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) run: RunKey,
    pub(super) number: u32,
    pub(super) name: JobName,
    pub(super) job: Arc<Job>,
    /// When it should have begun.
    pub(super) due: Timestamp,
    /// The trace that it begins.
    pub(super) trace: Trace,
    /// What it holds until it ends.
    pub(super) permit: Permit,
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) run: RunKey,
    pub(super) number: u32,
    pub(super) retry: Retry,
    pub(super) end: AttemptEnd,
    /// After which time the target asked to be tried again, if it did.
    pub(super) asked: Option<Duration>,
    pub(super) permit: Permit,
}

/// What a round has come to.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) starts: Vec<Start>,
    /// How runs ended.
    pub(super) outcomes: Vec<RunState>,
    /// Jobs whose record cannot be read.
    pub(super) unreadable: Vec<DisabledJob>,
    /// Whether more is due by now than one round takes.
    pub(super) has_more: bool,
}

/// How a success is called.
pub(super) const OK: &str = "OK";
/// How an attempt is called that the host's own end cut short.
pub(super) const ABORTED: &str = "ABORTED";

impl Start {
    /// How it ended.
    pub(super) fn ended(&self, end: AttemptEnd) -> Ended {
        Ended {
            run: self.run,
            number: self.number,
            retry: self.job.retry,
            end,
            asked: None,
            permit: self.permit.clone(),
        }
    }
}

/// Plays a round at `moment`, which takes permits of `limits`. If it fails nothing of it has happened.
pub(super) fn play(
    store: &Store,
    ended: &[Ended],
    moment: Moment,
    limits: &mut AttemptLimits,
) -> Result<Round, StoreError> {
    let mut round = Round::default();
    let now = moment.now;
    let played = store.write_jobs(|ledger| {
        let JobBatch {
            jobs: changed,
            read,
        } = ledger.changed_jobs(BATCH)?;
        if !(changed.is_empty() && ended.is_empty()) {
            limits.note_behind();
        }
        for record in &changed {
            change::take_up(ledger, record, moment, &mut round)?;
            limits.forget(record.id);
        }
        for ended in ended {
            settle::settle(ledger, ended, now, &mut round)?;
        }
        if read == BATCH {
            // Nothing begins of a job whose change has not been taken up.
            round.has_more = true;
            return Ok(());
        }
        let JobBatch { jobs, read } = ledger.due_jobs(now, BATCH)?;
        round.has_more = read == BATCH;
        if !jobs.is_empty() {
            limits.note_behind();
        }
        let mut read = HashMap::with_capacity(jobs.len());
        for record in &jobs {
            if let Some(job) = claim::claim(ledger, record, now, &mut round)? {
                read.insert(record.id, job);
            }
        }
        begin::begin(ledger, &read, now, limits, &mut round)
    });
    match played {
        Ok(()) => Ok(round),
        Err(error) => {
            for start in &round.starts {
                limits.release(&start.permit);
            }
            // What the round considered was not begun.
            limits.pass = None;
            Err(error)
        }
    }
}

/// Writes down how attempts ended, and begins nothing.
pub(super) fn write_down(store: &Store, ended: &[Ended], now: Timestamp) -> Result<(), StoreError> {
    store.write_jobs(|ledger| {
        let mut round = Round::default();
        for ended in ended {
            settle::settle(ledger, ended, now, &mut round)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
