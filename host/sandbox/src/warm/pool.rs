//! The idle instances of one function.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::fitness::{Fitness, HANGS_AGAIN, KEEPS_HANDLES};
use super::member::Member;
use super::retired::{Counts, Retired};
use super::{Warm, WarmUsage, ahead};
use crate::budget::{Budget, IdleInstances, MemoryShare};
use crate::instance::Instance;
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
    /// What they are instances of.
    runnable: Weak<Runnable>,
    /// Whether a task waits for instances to have been idle for too long.
    is_watched: AtomicBool,
    /// Whether a task makes those that are lacking.
    is_filled: AtomicBool,
}

const A_SECOND: Duration = Duration::from_secs(1);
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Idle {
    instance: Instance,
    since: Instant,
}

impl WarmPool {
    pub(crate) fn new(config: Warm, budget: Budget, runnable: Weak<Runnable>) -> Arc<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let pool = Arc::new(Self {
            config,
            shards: (0..threads).map(|_| Mutex::default()).collect(),
            idle: AtomicUsize::new(0),
            all: AtomicUsize::new(0),
            retired: Counts::default(),
            fitness: Fitness::default(),
            runnable,
            is_watched: AtomicBool::new(false),
            is_filled: AtomicBool::new(false),
            budget: budget.clone(),
        });
        let idle: Weak<Self> = Arc::downgrade(&pool);
        budget.add_idle(idle);
        pool
    }

    /// An idle instance, for the thread with this number.
    pub(crate) fn take(&self, thread: usize) -> Option<Instance> {
        while self.idle.load(Ordering::Relaxed) > 0 && !self.fitness.is_unfit() {
            let mut idle = (0..self.shards.len()).filter_map(|offset| {
                let mut shard = lock(self.shard(thread + offset));
                shard.pop_back()
            });
            let mut instance = idle.next()?.instance;
            self.idle.fetch_sub(1, Ordering::Relaxed);
            if instance.age() < self.config.age {
                return Some(instance);
            }
            instance.retires(Retired::Age);
        }
        None
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

    /// Keeps `instance`, which has answered no request yet.
    pub(super) fn put_new(self: &Arc<Self>, instance: Instance) {
        self.keep(instance, self.idle.load(Ordering::Relaxed));
    }

    fn keep(self: &Arc<Self>, mut instance: Instance, thread: usize) {
        instance.rest();
        self.idle.fetch_add(1, Ordering::SeqCst);
        let since = Instant::now();
        lock(self.shard(thread)).push_back(Idle { instance, since });
        self.watch();
    }

    fn retired_by(&self, instance: &mut Instance) -> Option<Retired> {
        let config = &self.config;
        instance
            .left_dirty(f64::from(config.memory_percent) / 100.0)
            .or_else(|| (instance.answered() >= config.requests).then_some(Retired::Requests))
            .or_else(|| self.fitness.is_unfit().then_some(Retired::Unfit))
            .or_else(|| {
                let is_full = self.idle.load(Ordering::Relaxed) >= config.most_idle;
                is_full.then_some(Retired::Surplus)
            })
    }

    /// Notes that an instance did not answer another request in time. Answers what there is to say of it.
    pub(crate) fn note_hung(&self) -> Option<&'static str> {
        self.fitness.note_hung().then_some(HANGS_AGAIN)
    }

    /// Notes that there is one more instance.
    pub(crate) fn note_made(self: &Arc<Self>) -> Member {
        self.all.fetch_add(1, Ordering::SeqCst);
        Member::new(Arc::downgrade(self))
    }

    /// Notes that an instance was let go of.
    pub(super) fn note_retired(self: &Arc<Self>, why: Retired) {
        self.retired.note(why);
        self.all.fetch_sub(1, Ordering::SeqCst);
        if self.lacks() {
            ahead::start(self);
        }
    }

    /// Whether there are fewer instances than there are to be at the least.
    pub(super) fn lacks(&self) -> bool {
        self.all.load(Ordering::SeqCst) < self.config.least && !self.fitness.is_unfit()
    }

    /// Whether nobody makes those that are lacking so far.
    pub(super) fn begins_to_fill(&self) -> bool {
        !self.is_filled.swap(true, Ordering::SeqCst)
    }

    pub(super) fn ends_to_fill(self: &Arc<Self>) {
        self.is_filled.store(false, Ordering::SeqCst);
        // One may have been let go of since the last look.
        if self.lacks() {
            ahead::start(self);
        }
    }

    pub(super) fn runnable(&self) -> Option<Arc<Runnable>> {
        self.runnable.upgrade()
    }

    pub(crate) fn usage(&self) -> WarmUsage {
        WarmUsage {
            idle: self.idle.load(Ordering::Relaxed),
            retired: self.retired.all(),
        }
    }

    /// Up to an eighth of the requests that an instance may answer, at random.
    pub(crate) fn head_start(&self) -> u32 {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let random = RandomState::new().build_hasher().finish();
        (random % u64::from(self.config.requests / 8 + 1)) as u32
    }

    fn shard(&self, thread: usize) -> &Mutex<VecDeque<Idle>> {
        &self.shards[thread % self.shards.len()]
    }

    /// Has a task let go of what is idle for too long, unless one does so already.
    fn watch(self: &Arc<Self>) {
        if self.is_watched.load(Ordering::SeqCst) || self.is_watched.swap(true, Ordering::SeqCst) {
            return;
        }
        let watch = Watch(Arc::downgrade(self));
        tokio::spawn(watch.run());
    }

    /// Lets go of what is idle for too long, down to what there is to be at the least. Answers when to look again, if
    /// something is left.
    fn expire(&self) -> Option<Instant> {
        let mut next = None;
        for shard in &self.shards {
            loop {
                let mut idle = lock(shard);
                let Some(oldest) = idle.front() else { break };
                if self.all.load(Ordering::SeqCst) <= self.config.least {
                    return Some(Instant::now() + self.config.idle_time.clamp(A_SECOND, A_DAY));
                }
                // One that may be idle for ever is looked at again after a day.
                let idle_time = self.config.idle_time;
                let end = oldest.since.checked_add(idle_time);
                let end = end.unwrap_or_else(|| Instant::now() + A_DAY);
                if end > Instant::now() {
                    next = Some(next.map_or(end, |next: Instant| next.min(end)));
                    break;
                }
                let expired = idle.pop_front();
                drop(idle);
                self.let_go(expired, Retired::Idle);
            }
        }
        next
    }

    /// Lets go of an instance that was idle, outside of the lock. Answers whether there was one.
    fn let_go(&self, idle: Option<Idle>, why: Retired) -> bool {
        let Some(Idle { mut instance, .. }) = idle else {
            return false;
        };
        self.idle.fetch_sub(1, Ordering::Relaxed);
        instance.retires(why);
        true
    }

    fn oldest_shard(&self) -> Option<(Instant, &Mutex<VecDeque<Idle>>)> {
        let shards = self.shards.iter();
        let since = shards.filter_map(|shard| Some((lock(shard).front()?.since, shard)));
        since.min_by_key(|(since, _)| *since)
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
            if self.let_go(oldest, Retired::Evicted) {
                return true;
            }
        }
        false
    }

    fn memory(&self) -> u64 {
        let shards = self.shards.iter();
        let held = shards.map(|shard| {
            lock(shard)
                .iter()
                .map(|idle| idle.instance.memory())
                .sum::<u64>()
        });
        held.sum()
    }

    fn share(&self) -> Option<&MemoryShare> {
        self.budget.share()
    }
}

/// The task that watches a pool. It ends when nothing is idle, or with the runtime that it is on.
struct Watch(Weak<WarmPool>);

impl Watch {
    async fn run(self) {
        loop {
            while let Some(next) = self.0.upgrade().and_then(|pool| pool.expire()) {
                tokio::time::sleep_until(next).await;
            }
            let Some(pool) = self.0.upgrade() else { return };
            pool.is_watched.store(false, Ordering::SeqCst);
            // What has come back since the last look may have found the pool watched still.
            if pool.idle.load(Ordering::SeqCst) == 0 {
                return;
            }
            if pool.is_watched.swap(true, Ordering::SeqCst) {
                return;
            }
            drop(pool);
            // One that comes back is counted a moment before it is there.
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.is_watched.store(false, Ordering::SeqCst);
        }
    }
}
