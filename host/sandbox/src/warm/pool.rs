//! The idle instances of one function.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::ahead::{Ahead, PAUSE, When};
use super::fitness::{Fitness, HANGS_AGAIN, KEEPS_HANDLES};
use super::member::Member;
use super::retired::{Counts, Retired};
use super::{Warm, WarmUsage};
use crate::budget::{Budget, IdleInstances, MemoryShare};
use crate::instance::Instance;
use crate::linked::Linked;
use crate::lock::lock;
use crate::runnable::Runnable;

/// Keeps instances between two requests. The one that was used last is used first, so that the rest can be let go of.
pub(crate) struct WarmPool {
    config: Warm,
    budget: Budget,
    /// One for each thread that serves, oldest first. A thread looks in its own first, and in the others' after that.
    shards: Box<[Mutex<VecDeque<Idle>>]>,
    idle: AtomicUsize,
    /// Instances that there are, idle or not.
    all: AtomicUsize,
    retired: Counts,
    fitness: Fitness,
    /// Who makes those that are lacking, of this.
    ahead: Arc<Ahead>,
    runnable: Weak<Runnable>,
    /// Whether it is asked to.
    is_asked: AtomicBool,
    /// Whether a task waits for instances to have been idle for too long.
    is_watched: AtomicBool,
}

const A_SECOND: Duration = Duration::from_secs(1);
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an instance may do before it is let go of.
pub(crate) struct Life {
    pub(crate) requests: u32,
    pub(crate) age: Duration,
}

struct Idle {
    instance: Instance,
    since: Instant,
}

impl WarmPool {
    pub(crate) fn new(
        mut config: Warm,
        budget: Budget,
        ahead: Arc<Ahead>,
        runnable: Weak<Runnable>,
    ) -> Arc<Self> {
        config.least = config.least.min(config.most_idle);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let pool = Arc::new(Self {
            config,
            shards: (0..threads).map(|_| Mutex::default()).collect(),
            idle: AtomicUsize::new(0),
            all: AtomicUsize::new(0),
            retired: Counts::default(),
            fitness: Fitness::default(),
            ahead,
            runnable,
            is_watched: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            budget: budget.clone(),
        });
        let idle: Weak<Self> = Arc::downgrade(&pool);
        budget.add_idle(idle);
        pool
    }

    /// An idle instance, for the thread with this number.
    pub(crate) fn take(&self, thread: usize) -> Option<Instance> {
        if self.idle.load(Ordering::Relaxed) == 0 || self.fitness.is_unfit() {
            return None;
        }
        let mut idle = (0..self.shards.len()).filter_map(|offset| {
            let mut shard = lock(self.shard(thread + offset));
            shard.pop_back()
        });
        let idle = idle.next()?;
        if idle.instance.is_too_old() {
            self.let_go(idle, Retired::Age);
            return None;
        }
        self.note_taken(&idle.instance);
        Some(idle.instance)
    }

    /// Keeps `instance`, which has answered a request on the thread with this number, if it may answer another one.
    pub(crate) fn put(self: &Arc<Self>, mut instance: Instance, thread: usize) {
        if instance.is_reused() {
            self.fitness.note_answered_again();
        }
        match self.retired_by(&mut instance) {
            Some(why) => {
                if why == Retired::Handles && self.fitness.tells_of_handles() {
                    instance.note(KEEPS_HANDLES);
                }
                instance.retires(why);
            }
            None => self.keep(instance, thread),
        }
    }

    /// Keeps `instance`, which has answered no request yet, unless it keeps handles already. Answers whether it does not.
    pub(super) fn put_new(self: &Arc<Self>, mut instance: Instance) -> bool {
        let is_clean = !instance.keeps_handles();
        if is_clean {
            instance.join(self);
            self.keep(instance, self.idle.load(Ordering::Relaxed));
        }
        is_clean
    }

    fn keep(self: &Arc<Self>, mut instance: Instance, thread: usize) {
        instance.rest();
        self.idle.fetch_add(1, Ordering::SeqCst);
        self.budget.note_idle(instance.memory());
        let since = Instant::now();
        lock(self.shard(thread)).push_back(Idle { instance, since });
        self.watch();
    }

    fn retired_by(&self, instance: &mut Instance) -> Option<Retired> {
        let config = &self.config;
        instance
            .left_dirty(f64::from(config.memory_percent) / 100.0)
            .or_else(|| instance.has_answered_all().then_some(Retired::Requests))
            .or_else(|| self.fitness.is_unfit().then_some(Retired::Unfit))
            .or_else(|| {
                let is_full = self.idle.load(Ordering::Relaxed) >= config.most_idle;
                is_full.then_some(Retired::Surplus)
            })
    }

    /// Notes that an instance did not answer another request in time. Answers what there is to say of it.
    pub(crate) fn note_hung(&self) -> Option<&'static str> {
        if !self.fitness.note_hung() {
            return None;
        }
        for shard in &self.shards {
            let idle = std::mem::take(&mut *lock(shard));
            idle.into_iter()
                .for_each(|idle| self.let_go(idle, Retired::Unfit));
        }
        Some(HANGS_AGAIN)
    }

    /// Notes that there is one more instance.
    pub(crate) fn note_made(self: &Arc<Self>) -> Member {
        self.all.fetch_add(1, Ordering::SeqCst);
        // After the first one it is known that there can be more.
        self.fill();
        Member::new(Arc::downgrade(self))
    }

    /// Notes that an instance was let go of.
    pub(super) fn note_retired(self: &Arc<Self>, why: Retired) {
        self.retired.note(why);
        self.all.fetch_sub(1, Ordering::SeqCst);
        match why {
            // Who needed what it held has not taken it yet.
            Retired::Evicted => self.ask(When::Later),
            Retired::Age if self.config.age < PAUSE => self.ask(When::Later),
            _ => self.fill(),
        }
    }

    /// Has instances made if there are fewer than there are to be at the least.
    pub(crate) fn fill(&self) {
        self.ask(When::Now);
    }

    fn ask(&self, when: When) {
        if self.lacks() && !self.is_asked.swap(true, Ordering::SeqCst) {
            self.ahead.fill(Weak::clone(&self.runnable), when);
        }
    }

    /// Whether there are as many as there are to be. If so, nobody makes any more until that changes.
    pub(super) fn is_filled(&self) -> bool {
        if self.lacks() {
            return false;
        }
        self.is_asked.store(false, Ordering::SeqCst);
        // One may have been let go of since the last look.
        self.fill();
        true
    }

    fn lacks(&self) -> bool {
        self.all.load(Ordering::SeqCst) < self.least()
    }

    /// Instances that there are to be at the least.
    fn least(&self) -> usize {
        match self.fitness.is_unfit() {
            true => 0,
            false => self.config.least,
        }
    }

    pub(crate) fn usage(&self) -> WarmUsage {
        WarmUsage {
            idle: self.idle.load(Ordering::Relaxed),
            retired: self.retired.all(),
        }
    }

    pub(crate) fn life(&self) -> Life {
        self.config.life()
    }

    fn shard(&self, thread: usize) -> &Mutex<VecDeque<Idle>> {
        &self.shards[thread % self.shards.len()]
    }

    /// Has a task let go of what is idle for too long, unless one does so already.
    fn watch(self: &Arc<Self>) {
        if self.is_watched.load(Ordering::SeqCst) || self.is_watched.swap(true, Ordering::SeqCst) {
            return;
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(Watch { pool, is_on: true }.run());
    }

    /// Lets go of what is too old or idle for too long. Answers when to look again, if something is left.
    fn expire(&self) -> Option<Instant> {
        let mut next = None;
        for shard in &self.shards {
            loop {
                let mut idle = lock(shard);
                let ends = idle.iter().map(|idle| self.end(idle));
                let Some((position, (end, why))) =
                    ends.enumerate().min_by_key(|(_, (end, _))| *end)
                else {
                    break;
                };
                if end > Instant::now() {
                    next = Some(next.map_or(end, |next: Instant| next.min(end)));
                    break;
                }
                let expired = idle.remove(position);
                drop(idle);
                if let Some(expired) = expired {
                    self.let_go(expired, why);
                }
            }
        }
        // There may be more than the least by then.
        let idle_time = self.config.idle_time.clamp(A_SECOND, A_DAY);
        next.map(|next| next.min(Instant::now() + idle_time))
    }

    /// When and why an instance is let go of that nobody takes.
    fn end(&self, idle: &Idle) -> (Instant, Retired) {
        if self.fitness.is_unfit() {
            return (idle.since, Retired::Unfit);
        }
        let of_age = (idle.instance.end().unwrap_or_else(in_a_day), Retired::Age);
        match self.all.load(Ordering::SeqCst) <= self.least() {
            true => of_age,
            false => {
                let end = idle.since.checked_add(self.config.idle_time);
                let of_idleness = (end.unwrap_or_else(in_a_day), Retired::Idle);
                std::cmp::min_by_key(of_idleness, of_age, |(end, _)| *end)
            }
        }
    }

    /// Lets go of an instance that was idle, outside of the lock.
    fn let_go(&self, idle: Idle, why: Retired) {
        let Idle { mut instance, .. } = idle;
        let memory = instance.memory();
        self.idle.fetch_sub(1, Ordering::Relaxed);
        instance.retires(why);
        drop(instance);
        self.budget.note_not_idle(memory);
    }

    fn note_taken(&self, instance: &Instance) {
        self.idle.fetch_sub(1, Ordering::Relaxed);
        self.budget.note_not_idle(instance.memory());
    }

    fn oldest_shard(&self) -> Option<(Instant, &Mutex<VecDeque<Idle>>)> {
        let shards = self.shards.iter();
        let since = shards.filter_map(|shard| Some((lock(shard).front()?.since, shard)));
        since.min_by_key(|(since, _)| *since)
    }
}

impl Drop for WarmPool {
    fn drop(&mut self) {
        for shard in &mut self.shards {
            let idle = shard.get_mut().unwrap_or_else(PoisonError::into_inner);
            for Idle { instance, .. } in idle.drain(..) {
                let memory = instance.memory();
                drop(instance);
                self.budget.note_not_idle(memory);
            }
        }
    }
}

impl IdleInstances for WarmPool {
    fn oldest(&self) -> Option<std::time::Instant> {
        Some(self.oldest_shard()?.0.into_std())
    }

    fn evict_oldest(&self) -> bool {
        // The oldest one may be taken by its own thread meanwhile.
        while let Some((_, shard)) = self.oldest_shard() {
            let oldest = lock(shard).pop_front();
            if let Some(oldest) = oldest {
                self.let_go(oldest, Retired::Evicted);
                return true;
            }
        }
        false
    }

    fn share(&self) -> Option<&MemoryShare> {
        self.budget.share()
    }

    fn component(&self) -> Option<Arc<Linked>> {
        let runnable = self.runnable.upgrade()?;
        Some(Arc::clone(&runnable.linked))
    }
}

/// The task that watches a pool. It ends when nothing is idle, or with the runtime that it is on.
struct Watch {
    pool: Weak<WarmPool>,
    /// Whether it is this one that watches.
    is_on: bool,
}

impl Watch {
    async fn run(mut self) {
        loop {
            while let Some(next) = self.pool.upgrade().and_then(|pool| pool.expire()) {
                tokio::time::sleep_until(next).await;
            }
            let Some(pool) = self.pool.upgrade() else {
                return;
            };
            pool.is_watched.store(false, Ordering::SeqCst);
            self.is_on = false;
            // What has come back since the last look may have found the pool watched still.
            if pool.idle.load(Ordering::SeqCst) == 0 {
                return;
            }
            if pool.is_watched.swap(true, Ordering::SeqCst) {
                return;
            }
            self.is_on = true;
            drop(pool);
            // One that comes back is counted a moment before it is there.
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade()
            && self.is_on
        {
            pool.is_watched.store(false, Ordering::SeqCst);
        }
    }
}

/// What will never be is looked at again after a day.
fn in_a_day() -> Instant {
    Instant::now() + A_DAY
}
