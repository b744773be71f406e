//! The scheduler at work: it sleeps until something is due, plays a round, and makes the attempts that the round begins.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::attempt::{Minter, TokenSource, attempt};
use super::client::{Reach, TargetClient};
use super::clock::Clock;
use super::counters::{Counters, JobFigures};
use super::ending::{self, Ending};
use super::note::AttemptNote;
use super::round::{self, Ended, OK, Round, Start};
use crate::logs::LogQueue;
use crate::store::{JobId, Store, StoreError, Version};

/// The longest sleep: so soon commands are heard, and a clock that was set or a machine that slept is noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// Attempts at once.
const MOST_ATTEMPTS: usize = 4_096;
/// How often jobs are counted at most.
const COUNT: Duration = Duration::from_secs(1);
/// How long attempts may take at least that are under way when the host ends; those at its own functions have as long as
/// these have.
const DRAIN: Duration = Duration::from_secs(30);

/// Why there is no scheduler.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// A certificate authority that cannot be trusted.
    #[error(
        "a certificate authority of jobs cannot be trusted: {0}; expected its X.509 certificate"
    )]
    Authority(#[from] rustls::Error),
}

/// Tells what a scheduler counts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SchedulerHandle {
    counters: Arc<Counters>,
}

impl SchedulerHandle {
    /// What was counted.
    pub(crate) fn figures(&self) -> JobFigures {
        self.counters.read()
    }
}

/// Hears what keeps the scheduler from its work, and answers whether that is news.
type Tell = Box<dyn Fn(Option<String>) -> bool + Send + Sync>;

/// Runs the jobs of a store.
pub struct Scheduler {
    store: Arc<Store>,
    client: TargetClient,
    minter: Minter,
    log: LogQueue,
    handle: SchedulerHandle,
    tell: Tell,
}

impl Scheduler {
    /// For the jobs of `store`, whose attempts go where `reach` lets them. `tell` is told after each round what keeps the
    /// scheduler from its work, if anything does, and answers whether that is news.
    ///
    /// # Errors
    /// If a certificate authority cannot be trusted.
    pub fn new(
        store: Arc<Store>,
        reach: Reach,
        tokens: Arc<dyn TokenSource>,
        log: LogQueue,
        tell: impl Fn(Option<String>) -> bool + Send + Sync + 'static,
    ) -> Result<Self, SchedulerError> {
        Ok(Self {
            store,
            client: TargetClient::new(reach)?,
            minter: Minter::new(tokens),
            log,
            handle: SchedulerHandle::default(),
            tell: Box::new(tell),
        })
    }

    /// Tells what it counts while it runs.
    pub fn handle(&self) -> SchedulerHandle {
        self.handle.clone()
    }

    /// Runs jobs until `end` says so. Then nothing begins any more, and attempts under way may end: all until `gone` says that
    /// this host answers nobody any more, and half a minute at least. What does not end by then is made again at the next
    /// start, and so is what was turned away because of the end.
    pub async fn run(self, end: watch::Receiver<bool>, gone: watch::Receiver<bool>) {
        let (ends, ended) = mpsc::unbounded_channel();
        let (over, mut ending) = Ending::new(end);
        let mut shift = Shift {
            scheduler: self,
            clock: Clock::now(),
            counted: None,
            is_uncounted: false,
            is_recovered: false,
            resync: Some(JobId::MIN),
            ends,
            ended,
            unwritten: Vec::new(),
            going: 0,
            ending: ending.clone(),
        };
        let mut ahead = Ahead::default();
        loop {
            tokio::select! {
                biased;
                () = ending.begun() => break,
                () = shift.sleep(&ahead) => {}
            }
            ahead = shift.work().await;
        }
        shift.finish(gone, &over).await;
    }
}

/// The scheduler while it works.
struct Shift {
    scheduler: Scheduler,
    clock: Clock,
    counted: Option<Instant>,
    /// Whether a round was played since jobs were counted.
    is_uncounted: bool,
    is_recovered: bool,
    /// After which job due times are to be worked out anew, if they are: at the start, and when the clock went back.
    resync: Option<JobId>,
    ends: mpsc::UnboundedSender<Ended>,
    ended: mpsc::UnboundedReceiver<Ended>,
    /// Attempts that have ended and are not written down yet.
    unwritten: Vec<Ended>,
    going: usize,
    ending: Ending,
}

/// What to sleep for.
#[derive(Default)]
struct Ahead {
    next: Option<Timestamp>,
    version: Option<Version>,
}

impl Shift {
    /// Does what is due, and tells what is ahead.
    async fn work(&mut self) -> Ahead {
        if self.clock.went_back() {
            eprintln!("The clock went back; due times are worked out anew.");
            self.resync = Some(JobId::MIN);
        }
        match self.round(Timestamp::now()).await {
            Ok(ahead) => {
                (self.scheduler.tell)(None);
                ahead
            }
            Err(error) => {
                let error = error.to_string();
                if (self.scheduler.tell)(Some(error.clone())) {
                    eprintln!("error: jobs are not run: {error}");
                }
                tokio::time::sleep(LONGEST_SLEEP).await;
                Ahead::default()
            }
        }
    }

    /// Sleeps until something is due, an attempt ends, or the jobs may have changed.
    async fn sleep(&mut self, ahead: &Ahead) {
        if !self.unwritten.is_empty() || ahead.version.is_none() {
            return;
        }
        loop {
            let has_place = self.going < MOST_ATTEMPTS;
            let until = ahead.next.filter(|_| has_place).map(|next| {
                let until = next.duration_since(Timestamp::now());
                Duration::try_from(until).unwrap_or(Duration::ZERO)
            });
            if until == Some(Duration::ZERO) {
                return;
            }
            tokio::select! {
                ended = self.ended.recv() => {
                    self.note_ended(ended);
                    return;
                }
                () = tokio::time::sleep(until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)) => {}
            }
            let is_count_due = self.is_uncounted && self.is_count_due();
            if is_count_due || self.clock.is_back() || self.version().await != ahead.version {
                return;
            }
        }
    }

    async fn version(&self) -> Option<Version> {
        let store = Arc::clone(&self.scheduler.store);
        let version = tokio::task::spawn_blocking(move || store.version());
        version.await.ok()?.ok()
    }

    fn note_ended(&mut self, ended: Option<Ended>) {
        let more = std::iter::from_fn(|| self.ended.try_recv().ok());
        let ended: Vec<_> = ended.into_iter().chain(more).collect();
        self.going -= ended.len();
        self.unwritten.extend(ended);
    }

    /// Plays rounds until nothing more is due by `now`, and tells what is ahead.
    async fn round(&mut self, now: Timestamp) -> Result<Ahead, StoreError> {
        if !self.is_recovered {
            let interrupted = self
                .blocking(move |store| round::recover(store, now))
                .await?;
            self.is_recovered = true;
            if interrupted > 0 {
                eprintln!(
                    "{interrupted} attempt(s) of jobs were cut short by the end of the host; they are made again."
                );
            }
        }
        loop {
            self.note_ended(None);
            let places = match self.ending.has_begun() {
                true => 0,
                false => MOST_ATTEMPTS - self.going,
            };
            let unwritten = std::mem::take(&mut self.unwritten);
            let count = self.is_count_due();
            self.is_uncounted = !count;
            if count {
                self.counted = Some(Instant::now());
            }
            let played = tokio::task::spawn_blocking({
                let store = Arc::clone(&self.scheduler.store);
                move || {
                    // Asked for before anything is read, so that no change falls in between.
                    let version = store.version();
                    let round = round::play(&store, &unwritten, now, places);
                    let ahead = round.is_ok().then(|| store.next_job_time());
                    let counts = count.then(|| store.job_counts());
                    (unwritten, version, round, ahead, counts)
                }
            });
            let (unwritten, version, round, ahead, counts) = match played.await {
                Ok(played) => played,
                Err(error) => return Err(StoreError::Settings(error.to_string())),
            };
            let round = match round {
                Ok(round) => round,
                Err(error) => {
                    // Nothing of it is written; it is tried again.
                    self.unwritten.splice(0..0, unwritten);
                    return Err(error);
                }
            };
            let has_more = round.has_more && self.going + round.starts.len() < MOST_ATTEMPTS;
            // Before anything else can fail: what is written down as begun has to begin.
            self.begin(round);
            if let Some(counts) = counts {
                self.scheduler.handle.counters.jobs(counts?);
            }
            if has_more && !self.ending.has_begun() {
                continue;
            }
            if let Some(last) = self.resync {
                // A page at a time, so that what is due meanwhile is not late.
                let page = self.blocking(move |store| round::resync(store, last, now));
                self.resync = page.await?;
                return Ok(Ahead::default());
            }
            let next = ahead.transpose()?.flatten();
            let version = Some(version?);
            return Ok(Ahead { next, version });
        }
    }

    fn is_count_due(&self) -> bool {
        self.counted
            .is_none_or(|counted| counted.elapsed() >= COUNT)
    }

    /// Makes the attempts that a round begins, each on its own.
    fn begin(&mut self, round: Round) {
        let Scheduler {
            client,
            minter,
            log,
            handle,
            ..
        } = &self.scheduler;
        for (name, reason) in round.unreadable {
            eprintln!("error: job {name}: {reason}");
        }
        handle.counters.ended(&round.outcomes);
        let mut entries = Vec::with_capacity(round.starts.len());
        for start in round.starts {
            entries.push(AttemptNote::started(&start).entry());
            self.going += 1;
            let (client, minter) = (client.clone(), minter.clone());
            let (log, counters) = (log.clone(), Arc::clone(&handle.counters));
            let (ends, ending) = (self.ends.clone(), self.ending.clone());
            tokio::spawn(async move {
                let late = Timestamp::now().duration_since(start.due);
                counters.attempt_began(late.try_into().unwrap_or(Duration::ZERO));
                let end = attempt(client, minter, &start, ending).await;
                counters.attempt_ended(end.code == OK);
                log.push(vec![AttemptNote::finished(&start, &end).entry()]);
                // Nobody listens any more when the host has ended.
                let _ = ends.send(ended(&start, end));
            });
        }
        log.push(entries);
    }

    /// Waits for the attempts under way, and writes down how they end. Nothing new begins.
    async fn finish(mut self, mut gone: watch::Receiver<bool>, over: &watch::Sender<bool>) {
        let mut patience = pin!(async {
            tokio::join!(ending::reached(&mut gone), tokio::time::sleep(DRAIN));
        });
        let mut error = self.write_down().await.err();
        while self.going > 0 {
            tokio::select! {
                ended = self.ended.recv() => self.note_ended(ended),
                // Those that are left end at once, and the loop goes on until it has heard of them.
                () = &mut patience, if !*over.borrow() => {
                    over.send_replace(true);
                    continue;
                }
            }
            error = self.write_down().await.err();
        }
        if let Some(error) = error {
            eprintln!(
                "error: how attempts of jobs ended is not written down, so they are made again: {error}"
            );
        }
    }

    /// Writes down how attempts ended. Those that it fails with are kept.
    async fn write_down(&mut self) -> Result<(), StoreError> {
        let unwritten = Arc::new(std::mem::take(&mut self.unwritten));
        let ours = Arc::clone(&unwritten);
        let written = self.blocking(move |store| round::write_down(store, &ours));
        let written = written.await;
        if written.is_err() {
            self.unwritten.extend(unwritten.iter().cloned());
        }
        written
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.scheduler.store);
        let worked = tokio::task::spawn_blocking(move || work(&store)).await;
        worked.map_err(|error| StoreError::Settings(error.to_string()))?
    }
}

fn ended(start: &Start, end: crate::store::AttemptEnd) -> Ended {
    Ended {
        run: start.run,
        number: start.number,
        retry: start.job.retry,
        end,
    }
}
