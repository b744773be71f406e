//! The scheduler while it works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};

use super::super::attempt::attempt;
use super::super::clock::{Change, Clock};
use super::super::correction;
use super::super::ending::Ending;
use super::super::note::AttemptNote;
use super::super::places::Places;
use super::super::round::{self, Ended, OK, Round, Start};
use super::Scheduler;
use crate::store::{JobId, NextTimes, Store, StoreError, Version};

/// The longest sleep: so soon commands are heard, and a clock that was set or a machine that slept is noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// Attempts at once.
const MOST_ATTEMPTS: usize = 4_096;
/// How often jobs are counted at most.
const COUNT: Duration = Duration::from_secs(1);

/// What a scheduler has in its hands.
pub(super) struct Work {
    pub(super) scheduler: Scheduler,
    pub(super) clock: Clock,
    counted: Option<Instant>,
    /// Whether a round was played since jobs were counted.
    is_uncounted: bool,
    is_recovered: bool,
    /// By how much runs are to be moved, for the clock was.
    shift: SignedDuration,
    /// What due times are to be worked out anew, if they are: at the start, and when the clock was set.
    resync: Option<Resync>,
    ends: mpsc::UnboundedSender<Ended>,
    pub(super) ended: mpsc::UnboundedReceiver<Ended>,
    /// Attempts that have ended and are not written down yet.
    pub(super) unwritten: Vec<Ended>,
    places: Arc<Mutex<Places>>,
    pub(super) going: usize,
    ending: Ending,
}

/// Due times that are to be worked out anew.
#[derive(Clone, Copy)]
struct Resync {
    /// From when on.
    since: Timestamp,
    /// Whether runs that wait have been looked at.
    are_waits_done: bool,
    /// Those of jobs after this one.
    last: JobId,
}

impl Resync {
    fn from(since: Timestamp) -> Self {
        Self {
            since,
            are_waits_done: false,
            last: JobId::MIN,
        }
    }
}

/// What to sleep for.
#[derive(Default)]
struct Ahead {
    next: NextTimes,
    version: Option<Version>,
}

/// What a round has come to that has been played.
struct Played {
    has_more: bool,
    /// When something is due next.
    next: Result<NextTimes, StoreError>,
    /// What of the store was read.
    version: Result<Version, StoreError>,
}

impl Work {
    /// That of `scheduler`, until `end` says so. The sender says when nothing is waited for any more.
    pub(super) fn new(
        scheduler: Scheduler,
        end: watch::Receiver<bool>,
    ) -> (Self, watch::Sender<bool>) {
        let (ends, ended) = mpsc::unbounded_channel();
        let (over, ending) = Ending::new(end);
        let clock = Clock::start();
        let work = Self {
            scheduler,
            resync: Some(Resync::from(clock.now())),
            clock,
            counted: None,
            is_uncounted: false,
            is_recovered: false,
            shift: SignedDuration::ZERO,
            ends,
            ended,
            unwritten: Vec::new(),
            places: Arc::new(Mutex::new(Places::new(MOST_ATTEMPTS))),
            going: 0,
            ending,
        };
        (work, over)
    }

    /// Works until the end begins.
    pub(super) async fn go_on(&mut self) {
        let mut ending = self.ending.clone();
        let mut ahead = Ahead::default();
        loop {
            tokio::select! {
                biased;
                () = ending.begun() => return,
                () = self.sleep(&ahead) => {}
            }
            ahead = self.work().await;
        }
    }

    /// Does what is due, and tells what is ahead.
    async fn work(&mut self) -> Ahead {
        let now = self.look_at_clock();
        match self.round(now).await {
            Ok(ahead) => {
                (self.scheduler.tell)(None);
                ahead
            }
            Err(error) => {
                let error = error.to_string();
                if (self.scheduler.tell)(Some(error.clone())) {
                    tracing::error!("jobs are not run: {error}");
                }
                tokio::time::sleep(LONGEST_SLEEP).await;
                Ahead::default()
            }
        }
    }

    /// What time it is. Notes what is to be put right if the clock was set.
    fn look_at_clock(&mut self) -> Timestamp {
        let (now, Change { step, anew }) = self.clock.tell();
        if !step.is_zero() {
            tracing::info!("The clock was set by {} s.", step.as_secs());
            self.shift = self.shift.saturating_add(step);
            // What has not been put right since an earlier change still has to be.
            if let Some(resync) = &mut self.resync {
                resync.since = resync.since.checked_add(step).unwrap_or(resync.since);
            }
        }
        if let Some(anew) = anew {
            tracing::info!("Due times are worked out anew from {anew} on, for the clock was set.");
            let earlier = self.resync.map_or(anew, |resync| resync.since);
            self.resync = Some(Resync::from(anew.min(earlier)));
        }
        now
    }

    /// Sleeps until something is due, an attempt ends, or the jobs may have changed.
    async fn sleep(&mut self, ahead: &Ahead) {
        if !self.unwritten.is_empty() || ahead.version.is_none() {
            return;
        }
        loop {
            let until = self.time_to(ahead);
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
            if is_count_due || self.clock.has_changed() || self.version().await != ahead.version {
                return;
            }
        }
    }

    /// How long it is until something is due that there is a place for.
    fn time_to(&self, ahead: &Ahead) -> Option<Duration> {
        let next = match self.going < MOST_ATTEMPTS {
            true => ahead.next.first(),
            false => ahead.next.due,
        };
        let until = next?.duration_since(self.clock.now());
        Some(Duration::try_from(until).unwrap_or(Duration::ZERO))
    }

    async fn version(&self) -> Option<Version> {
        let store = Arc::clone(&self.scheduler.store);
        let version = tokio::task::spawn_blocking(move || store.version());
        version.await.ok()?.ok()
    }

    pub(super) fn note_ended(&mut self, ended: Option<Ended>) {
        let more = std::iter::from_fn(|| self.ended.try_recv().ok());
        let ended: Vec<_> = ended.into_iter().chain(more).collect();
        self.going -= ended.len();
        let mut places = lock(&self.places);
        for ended in &ended {
            places.give_back(&ended.keepers);
        }
        drop(places);
        self.unwritten.extend(ended);
    }

    /// Puts right what is not, plays rounds until nothing more is due by `now`, and tells what is ahead.
    async fn round(&mut self, now: Timestamp) -> Result<Ahead, StoreError> {
        self.recover(now).await?;
        self.correct_waits(now).await?;
        loop {
            let played = self.play(now).await?;
            if played.has_more && !self.ending.has_begun() {
                continue;
            }
            if let Some(resync) = self.resync {
                // A page at a time, so that what is due meanwhile is not late.
                let Resync { last, since, .. } = resync;
                let page = self.blocking(move |store| correction::resync(store, last, since, now));
                self.resync = page.await?.map(|last| Resync { last, ..resync });
                return Ok(Ahead::default());
            }
            return Ok(Ahead {
                next: played.next?,
                version: Some(played.version?),
            });
        }
    }

    /// Goes on after a start.
    async fn recover(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.is_recovered {
            return Ok(());
        }
        let (others, recovered) = self
            .blocking(move |store| Ok((store.job_outcomes()?, correction::recover(store, now)?)))
            .await?;
        self.is_recovered = true;
        let counters = &self.scheduler.handle.counters;
        counters.ended_by_others(&others);
        counters.ended(&recovered.outcomes);
        if recovered.interrupted > 0 {
            tracing::info!(
                "{} attempt(s) of jobs were cut short by the end of the host; they are made again.",
                recovered.interrupted
            );
        }
        Ok(())
    }

    /// Sees to runs that wait, if the clock was set.
    async fn correct_waits(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let step = self.shift;
        if !step.is_zero() {
            self.blocking(move |store| correction::shift(store, step))
                .await?;
            self.shift = SignedDuration::ZERO;
        }
        if let Some(Resync { since, .. }) = self.resync.filter(|resync| !resync.are_waits_done) {
            self.blocking(move |store| correction::retract_waiting(store, since, now))
                .await?;
            let resync = Resync::from(since);
            self.resync = Some(Resync {
                are_waits_done: true,
                ..resync
            });
        }
        Ok(())
    }

    /// Plays a round at `now`, and begins what is to begin.
    async fn play(&mut self, now: Timestamp) -> Result<Played, StoreError> {
        self.note_ended(None);
        let unwritten = std::mem::take(&mut self.unwritten);
        let count = self.is_count_due();
        self.is_uncounted = !count;
        if count {
            self.counted = Some(Instant::now());
        }
        let (store, places) = (Arc::clone(&self.scheduler.store), Arc::clone(&self.places));
        let disabled = Arc::clone(&self.scheduler.handle.disabled);
        let is_ending = self.ending.has_begun();
        let played = tokio::task::spawn_blocking(move || {
            // Asked for before anything is read, so that no change falls in between.
            let version = store.version();
            let round = match is_ending {
                true => round::play(&store, &unwritten, now, &mut Places::new(0)),
                false => round::play(&store, &unwritten, now, &mut lock(&places)),
            };
            let next = match round {
                Ok(_) => store.next_job_times(),
                Err(_) => Ok(NextTimes::default()),
            };
            let counts = count.then(|| {
                disabled.look_again(&store)?;
                Ok((store.job_counts()?, store.job_outcomes()?))
            });
            (unwritten, version, round, next, counts)
        });
        let (unwritten, version, round, next, counts) = match played.await {
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
        let has_more = round.has_more;
        // Before anything else can fail: what is written down as begun has to begin.
        self.begin(round);
        if let Some(counts) = counts {
            let counts: Result<_, StoreError> = counts;
            let (jobs, others) = counts?;
            self.scheduler.handle.counters.jobs(jobs);
            self.scheduler.handle.counters.ended_by_others(&others);
        }
        Ok(Played {
            has_more,
            next,
            version,
        })
    }

    fn is_count_due(&self) -> bool {
        self.counted
            .is_none_or(|counted| counted.elapsed() >= COUNT)
    }

    /// Makes the attempts that a round begins, each on its own.
    fn begin(&mut self, round: Round) {
        for (name, reason) in self.scheduler.handle.disabled.add(round.unreadable) {
            tracing::error!("job {name}: it cannot run: {reason}");
        }
        self.scheduler.handle.counters.ended(&round.outcomes);
        let notes = round.starts.iter().map(AttemptNote::started);
        // Before anything is sent: entries of what is called are known by the trace that these tell.
        self.scheduler
            .log
            .push(notes.map(|note| note.entry()).collect());
        for start in round.starts {
            self.begin_attempt(start);
        }
    }

    fn begin_attempt(&mut self, start: Start) {
        let Scheduler {
            client,
            minter,
            log,
            handle,
            ..
        } = &self.scheduler;
        self.going += 1;
        let (client, minter, clock) = (client.clone(), minter.clone(), self.clock.clone());
        let (log, counters) = (log.clone(), Arc::clone(&handle.counters));
        let (ends, ending) = (self.ends.clone(), self.ending.clone());
        tokio::spawn(async move {
            let late = clock.now().duration_since(start.due);
            counters.attempt_began(late.try_into().unwrap_or(Duration::ZERO));
            let (end, asked) = attempt(client, minter, &start, &clock, ending).await;
            counters.attempt_ended(end.code == OK);
            log.push(vec![AttemptNote::finished(&start, &end).entry()]);
            // Nobody listens any more when the host has ended.
            let _ = ends.send(Ended {
                asked,
                ..start.ended(end)
            });
        });
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.scheduler.store);
        let worked = tokio::task::spawn_blocking(move || work(&store)).await;
        worked.map_err(|error| StoreError::Settings(error.to_string()))?
    }
}

fn lock(places: &Mutex<Places>) -> std::sync::MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}
