//! Memory that executions draw on: of all functions together, and of each one's share.

mod idle;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::error::MemoryLimit;
use super::linked::Linked;
use idle::Idle;

pub(crate) use idle::IdleInstances;

/// An amount of memory that executions on all threads hold parts of, in bytes.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    used: AtomicU64,
    /// What idle instances hold of it.
    idle_bytes: AtomicU64,
    total: u64,
    idle: Idle,
}

impl MemoryBudget {
    pub(crate) fn new(total: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            idle_bytes: AtomicU64::new(0),
            total,
            idle: Idle::default(),
        }
    }

    /// The most that may be held, in bytes.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Bytes held at this moment.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes that idle instances hold of it.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> u64 {
        self.idle_bytes.load(Ordering::Relaxed)
    }

    /// Whether so many bytes would fit if all idle instances gave way.
    fn could_have(&self, bytes: u64) -> bool {
        let idle = self.idle_bytes.load(Ordering::Relaxed);
        self.used().saturating_sub(idle).saturating_add(bytes) <= self.total
    }

    fn has(&self, bytes: u64) -> bool {
        self.used().saturating_add(bytes) <= self.total
    }

    fn take(&self, bytes: u64) -> bool {
        // Never more than there is, not even for a moment in which another one would be refused.
        let with_these = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.total);
        let relaxed = Ordering::Relaxed;
        self.used.fetch_update(relaxed, relaxed, with_these).is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Memory that the executions of some functions may hold together, beside what those of all may. Clones are the same.
///
/// ```
/// use host_sandbox::memory::{MIB, MemoryLimit, MemoryShare};
/// use host_sandbox::{Failure, FunctionConfig, Sandbox, SandboxConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let component = wat::parse_file("examples/hello.wat")?;
/// let sandbox = Sandbox::new(SandboxConfig::default())?;
/// // Executions of both functions hold 64 MiB together at most.
/// let share = MemoryShare::new(64 * MIB);
/// let config = FunctionConfig::default().memory_share(Some(share.clone()));
/// let one = sandbox.load_bytes(component.clone(), config.clone()).await?;
/// let other = sandbox.load_bytes(component.clone(), config).await?;
/// let request = || http::Request::get("/").body(String::new());
/// assert!(one.call(request()?).await.is_ok() && other.call(request()?).await.is_ok());
///
/// // A share that is too small for one execution lets none begin.
/// let config = FunctionConfig::default().memory_share(Some(MemoryShare::new(1024)));
/// let starved = sandbox.load_bytes(component, config).await?;
/// let error = starved.call(request()?).await.unwrap_err();
/// assert_eq!(error.failure, Failure::StartMemory(MemoryLimit::Function(1024)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MemoryShare(Arc<MemoryBudget>);

impl MemoryShare {
    /// A share of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(MemoryBudget::new(bytes)))
    }

    /// Whether `other` is a clone of it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether there is another clone of it.
    pub fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// What the executions of one function draw on. Clones draw on the same.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    all: Arc<MemoryBudget>,
    /// Of the function's own, where it may not have all.
    own: Option<MemoryShare>,
    /// Whether idle instances give way.
    evicts: bool,
}

impl Budget {
    /// All of `all`, or the function's `own` share of it.
    pub(crate) fn new(all: Arc<MemoryBudget>, own: Option<MemoryShare>) -> Self {
        Self {
            all,
            own,
            evicts: true,
        }
    }

    /// The same, but idle instances do not give way.
    pub(crate) fn without_eviction(&self) -> Self {
        Self {
            evicts: false,
            ..self.clone()
        }
    }

    /// Whether [`take`](Self::take) would succeed at this moment.
    pub(crate) fn has(&self, bytes: u64) -> bool {
        self.all.has(bytes) && self.own.as_ref().is_none_or(|own| own.0.has(bytes))
    }

    /// Takes so many bytes. Idle instances give way for them.
    ///
    /// # Errors
    /// Which bound does not allow it. Then nothing is taken.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), MemoryLimit> {
        loop {
            let Err(limit) = self.try_take(bytes) else {
                return Ok(());
            };
            let share = match limit {
                MemoryLimit::Function(_) => self.own.as_ref(),
                MemoryLimit::Execution(_) | MemoryLimit::Total(_) => None,
            };
            let bound = share.map_or(&self.all, |MemoryShare(own)| own);
            // What does not fit beside those that run is no reason to let go of any.
            if !self.evicts || !bound.could_have(bytes) {
                return Err(limit);
            }
            if !self.all.idle.evict(share) {
                // Another thread may have let go of the last one just now.
                return self.try_take(bytes);
            }
        }
    }

    fn try_take(&self, bytes: u64) -> Result<(), MemoryLimit> {
        if let Some(MemoryShare(own)) = &self.own
            && !own.take(bytes)
        {
            return Err(MemoryLimit::Function(own.total()));
        }
        if !self.all.take(bytes) {
            if let Some(MemoryShare(own)) = &self.own {
                own.give_back(bytes);
            }
            return Err(MemoryLimit::Total(self.all.total()));
        }
        Ok(())
    }

    /// Notes that so many bytes are held by an instance that is idle now.
    pub(crate) fn note_idle(&self, bytes: u64) {
        for budget in self.bounds() {
            budget.idle_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Notes that so many bytes are not held by an idle instance any more.
    pub(crate) fn note_not_idle(&self, bytes: u64) {
        for budget in self.bounds() {
            budget.idle_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn bounds(&self) -> impl Iterator<Item = &MemoryBudget> {
        let own = self.own.as_ref().map(|MemoryShare(own)| own);
        std::iter::once(&self.all)
            .chain(own)
            .map(|budget| &**budget)
    }

    /// Has idle instances of a function give way as well.
    pub(crate) fn add_idle(&self, idle: Weak<dyn IdleInstances>) {
        self.all.idle.add(idle);
    }

    /// Lets go of the instance that has been idle longest. Answers whether there was one.
    pub(crate) fn evict_idle(&self) -> bool {
        self.all.idle.evict(None)
    }

    /// Lets go of the instance that has been idle longest, among those of the components that are `meant`. Answers whether
    /// there was one.
    pub(crate) fn evict_idle_of(&self, meant: impl Fn(&Arc<Linked>) -> bool) -> bool {
        self.all.idle.evict_where(|function| {
            let component = function.component();
            component.is_some_and(|component| meant(&component))
        })
    }

    /// The function's own share, if it has one.
    pub(crate) fn share(&self) -> Option<&MemoryShare> {
        self.own.as_ref()
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.all.give_back(bytes);
        if let Some(MemoryShare(own)) = &self.own {
            own.give_back(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;

    #[test]
    fn functions_together_stay_within_what_there_is_for_all() {
        let all = Arc::new(MemoryBudget::new(100));
        let (first, second) = (
            Budget::new(Arc::clone(&all), None),
            Budget::new(Arc::clone(&all), None),
        );
        assert_eq!(first.take(80), Ok(()));
        assert_eq!(second.take(30), Err(MemoryLimit::Total(100)));
        first.give_back(80);
        assert_eq!(second.take(30), Ok(()));
        assert_eq!(all.used(), 30);
    }

    #[test]
    fn a_function_with_a_share_leaves_the_rest_to_others() {
        let all = Arc::new(MemoryBudget::new(100));
        let (greedy, other) = (
            Budget::new(Arc::clone(&all), Some(MemoryShare::new(75))),
            Budget::new(Arc::clone(&all), Some(MemoryShare::new(75))),
        );
        assert_eq!(greedy.take(75), Ok(()));
        assert!(!greedy.has(1));
        assert_eq!(greedy.take(1), Err(MemoryLimit::Function(75)));
        assert_eq!(other.take(25), Ok(()));
        assert_eq!(other.take(1), Err(MemoryLimit::Total(100)));
        other.give_back(25);
        assert_eq!(other.take(25), Ok(()), "what failed was not kept");
    }

    /// An idle instance with so many bytes.
    struct Kept(Budget, Mutex<u64>);

    impl IdleInstances for Kept {
        fn oldest(&self) -> Option<Instant> {
            (*self.1.lock().unwrap() > 0).then(Instant::now)
        }

        fn evict_oldest(&self) -> bool {
            let bytes = std::mem::take(&mut *self.1.lock().unwrap());
            self.0.give_back(bytes);
            self.0.note_not_idle(bytes);
            bytes > 0
        }

        fn share(&self) -> Option<&MemoryShare> {
            self.0.share()
        }

        fn component(&self) -> Option<Arc<Linked>> {
            None
        }
    }

    #[test]
    fn what_is_idle_gives_way_if_that_helps() {
        let budget = Budget::new(Arc::new(MemoryBudget::new(100)), None);
        let kept = Arc::new(Kept(budget.clone(), Mutex::new(30)));
        let weak: Weak<Kept> = Arc::downgrade(&kept);
        budget.add_idle(weak);
        assert_eq!(budget.take(30 + 60), Ok(()), "30 idle, 60 running");
        budget.note_idle(30);
        assert_eq!(budget.take(41), Err(MemoryLimit::Total(100)));
        let without = budget.without_eviction();
        assert_eq!(without.take(40), Err(MemoryLimit::Total(100)));
        assert_eq!(*kept.1.lock().unwrap(), 30, "it would not help, or may not");
        assert_eq!(budget.take(40), Ok(()));
        assert_eq!(*kept.1.lock().unwrap(), 0);
    }
}
