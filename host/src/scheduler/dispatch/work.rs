//! The scheduler while it works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::super::attempt::attempt;
use super::super::attempt_limits::AttemptLimits;
use super::super::clock::{Change, Clock, Moment};
use super::super::disabled::DisabledJob;
use super::super::note::AttemptNote;
use super::super::recovery;
use super::super::round::{self, Ended, OK, Round, Start};
use super::super::shutdown::Shutdown;
use super::Scheduler;
use crate::store::{NextTimes, POLL, Store, StoreError, Version};

/// The longest sleep. A clock that was set, and a machine that slept, are noticed within this time.
const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// Attempts at once.
const MOST_ATTEMPTS: usize = 4_096;
/// How often jobs are counted at most.
const COUNT: Duration = Duration::from_secs(1);

/// The state of a scheduler that runs.
pub(super) struct Work {
    pub(super) scheduler: Scheduler,
    pub(super) clock: Clock,
    counted: Option<Instant>,
    /// Whether a round was played since jobs were counted.
    is_uncounted: bool,
    is_recovered: bool,
    /// How the clock was set, if the store does not know it yet.
    change: Change,
    ends: mpsc::UnboundedSender<Ended>,
    pub(super) ended: mpsc::UnboundedReceiver<Ended>,
    /// Attempts that have ended and are not written down yet.
    pub(super) unwritten: Vec<Ended>,
    limits: Arc<Mutex<AttemptLimits>>,
    /// What of the store the first of the rounds read that are being played, if there is to be another one.
    first_version: Option<Version>,
    pub(super) going: usize,
    /// Tells of commands.
    changes: watch::Receiver<Option<Version>>,
    shutdown: Shutdown,
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
    /// That of `scheduler`, which runs until `end` is true. The sender says when nothing is waited for any more.
    pub(super) fn new(
        scheduler: Scheduler,
        end: watch::Receiver<bool>,
    ) -> (Self, watch::Sender<bool>) {
        let (ends, ended) = mpsc::unbounded_channel();
        let (over, shutdown) = Shutdown::new(end);
        let work = Self {
            changes: scheduler.store.changes(),
            scheduler,
            clock: Clock::start(),
            counted: None,
            is_uncounted: false,
            is_recovered: false,
            change: Change::NONE,
            ends,
            ended,
            unwritten: Vec::new(),
            limits: Arc::new(Mutex::new(AttemptLimits::new(MOST_ATTEMPTS))),
            first_version: None,
            going: 0,
            shutdown,
        };
        (work, over)
    }

    /// Works until the end begins.
    pub(super) async fn go_on(&mut self) {
        let mut shutdown = self.shutdown.clone();
        let mut ahead = Ahead::default();
        loop {
            tokio::select! {
                biased;
                () = shutdown.begun() => return,
                () = self.sleep(&ahead) => {}
            }
            ahead = self.work().await;
        }
    }

    /// Does what is due, and tells what is ahead.
    async fn work(&mut self) -> Ahead {
        let moment = self.look_at_clock();
        match self.round(moment).await {
            Ok(ahead) => {
                (self.scheduler.tell)(None);
                ahead
            }
            Err(error) => {
                let error = error.to_string();
                if (self.scheduler.tell)(Some(error.clone())) {
                    tracing::error!("jobs are not run: {error}");
                }
                tokio::time::sleep(POLL).await;
                Ahead::default()
            }
        }
    }

    /// What time it is. Notes how the clock was set, if it was.
    fn look_at_clock(&mut self) -> Moment {
        let (moment, change) = self.clock.tell();
        if !change.step.is_zero() {
            tracing::info!("The clock was set by {} s.", change.step.as_secs());
        }
        self.change.add(change);
        moment
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
                _ = self.changes.changed() => {
                    // Not if the last round has read that already.
                    if *self.changes.borrow_and_update() != ahead.version {
                        return;
                    }
                }
                () = tokio::time::sleep(until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)) => {}
            }
            if self.is_uncounted && self.is_count_due() || self.clock.has_changed() {
                return;
            }
        }
    }

    /// How long it is until something is due that there may be a permit for.
    fn time_to(&self, ahead: &Ahead) -> Option<Duration> {
        let next = match self.going < MOST_ATTEMPTS {
            true => ahead.next.first(),
            false => ahead.next.look,
        };
        let until = next?.duration_since(self.clock.now());
        Some(Duration::try_from(until).unwrap_or(Duration::ZERO))
    }

    pub(super) fn note_ended(&mut self, ended: Option<Ended>) {
        let more = std::iter::from_fn(|| self.ended.try_recv().ok());
        let ended: Vec<_> = ended.into_iter().chain(more).collect();
        self.going -= ended.len();
        let mut limits = lock(&self.limits);
        for ended in &ended {
            limits.release(&ended.permit);
        }
        drop(limits);
        self.unwritten.extend(ended);
    }

    /// Plays a round at `moment`, and tells what is ahead: another round at once, if more is due than one round takes.
    async fn round(&mut self, moment: Moment) -> Result<Ahead, StoreError> {
        self.recover(moment.now).await?;
        self.take_up_change(moment.now).await?;
        let played = self.play(moment).await?;
        // What is written between two rounds may be behind what the second one reads.
        let version = *self.first_version.get_or_insert(played.version?);
        if played.has_more {
            return Ok(Ahead::default());
        }
        self.first_version = None;
        Ok(Ahead {
            next: played.next?,
            version: Some(version),
        })
    }

    /// Goes on after a start.
    async fn recover(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.is_recovered {
            return Ok(());
        }
        let recovered = self.blocking(move |store| recovery::recover(store, now));
        let recovered = recovered.await?;
        self.is_recovered = true;
        let counters = &self.scheduler.handle.counters;
        counters.ended(&recovered.outcomes);
        if recovered.interrupted > 0 {
            tracing::info!(
                "{} attempt(s) of jobs were cut short by the end of the host; they are made again.",
                recovered.interrupted
            );
        }
        Ok(())
    }

    /// Has the store take up how the clock was set, if it was.
    async fn take_up_change(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let change = self.change;
        if change != Change::NONE {
            self.blocking(move |store| recovery::take_up(store, change, now))
                .await?;
            self.change = Change::NONE;
            lock(&self.limits).note_behind();
        }
        Ok(())
    }

    /// Plays a round at `moment`, and begins what is to begin.
    async fn play(&mut self, moment: Moment) -> Result<Played, StoreError> {
        self.note_ended(None);
        let unwritten = std::mem::take(&mut self.unwritten);
        let count = self.is_count_due();
        self.is_uncounted = !count;
        if count {
            self.counted = Some(Instant::now());
        }
        let (store, limits) = (Arc::clone(&self.scheduler.store), Arc::clone(&self.limits));
        let disabled = Arc::clone(&self.scheduler.handle.disabled);
        let is_ending = self.shutdown.has_begun();
        let played = tokio::task::spawn_blocking(move || {
            // Asked for before anything is read, so that no change falls in between.
            let version = store.version();
            let round = match is_ending {
                true => round::play(&store, &unwritten, moment, &mut AttemptLimits::new(0)),
                false => round::play(&store, &unwritten, moment, &mut lock(&limits)),
            };
            let next = match round {
                Ok(_) => store.next_job_times(moment.now),
                Err(_) => Ok(NextTimes::default()),
            };
            let counts = count.then(|| {
                disabled.look_again(&store)?;
                store.job_counts()
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
            self.scheduler.handle.counters.jobs(counts?);
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
        for DisabledJob { name, reason } in self.scheduler.handle.disabled.add(round.unreadable) {
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
        let (ends, shutdown) = (self.ends.clone(), self.shutdown.clone());
        tokio::spawn(async move {
            let late = clock.now().duration_since(start.due);
            counters.attempt_began(late.try_into().unwrap_or(Duration::ZERO));
            let (end, asked) = attempt(client, minter, &start, &clock, shutdown).await;
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

fn lock(limits: &Mutex<AttemptLimits>) -> std::sync::MutexGuard<'_, AttemptLimits> {
    limits.lock().unwrap_or_else(PoisonError::into_inner)
}
