//! Who gets an instance, who waits for one, and who is turned away.
//!
//! Each worker has permits of its own, and of those each function has some, so that nothing is shared on a request's way.
//! A function whose instances are bounded in all, over all workers, is the exception.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::counters::Reason;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// The permits of one function on one worker.
pub(in crate::serve) struct Admission {
    /// Of the function on this worker, of the worker, and of the function in all, as far as that is bounded; always
    /// taken in this order.
    gates: [Option<Arc<Semaphore>>; GATES],
    waiting: AtomicUsize,
    queue: Queue,
}

/// The queue that each function has on each worker.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct Queue {
    /// Requests that wait at once.
    pub(in crate::serve) length: usize,
    /// How long each may wait.
    pub(in crate::serve) time: Duration,
}

const GATES: usize = 3;

/// A permit, given back when dropped.
pub(in crate::serve) struct Permit {
    _permits: [Option<OwnedSemaphorePermit>; GATES],
    has_waited: bool,
}

impl Permit {
    /// Whether it was not free at once.
    pub(in crate::serve) fn has_waited(&self) -> bool {
        self.has_waited
    }
}

/// Why a request got no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::serve) enum Refused {
    /// As many requests as may are waiting already.
    #[error("all instances are busy and {0} requests are waiting already")]
    QueueFull(usize),
    /// It waited, and no instance came free.
    #[error("no instance came free within {0:?}")]
    QueueTime(Duration),
    /// The host is about to end.
    #[error("the host is draining")]
    Draining,
}

impl Refused {
    /// As it is counted.
    pub(in crate::serve) fn reason(self) -> Reason {
        match self {
            Self::QueueFull(_) | Self::QueueTime(_) => Reason::Busy,
            Self::Draining => Reason::Draining,
        }
    }
}

impl Admission {
    /// For `permits` executions of the function on this worker, within those that `worker` and `instances` have left.
    pub(in crate::serve) fn new(
        permits: usize,
        worker: Arc<Semaphore>,
        instances: Option<Arc<Semaphore>>,
        queue: Queue,
    ) -> Self {
        Self {
            gates: [
                Some(Arc::new(Semaphore::new(permits))),
                instances,
                // Last, so that who waits for an instance of one function keeps no other function from the worker.
                Some(worker),
            ],
            waiting: AtomicUsize::new(0),
            queue,
        }
    }

    /// Takes a permit, in the order of arrival.
    pub(in crate::serve) async fn enter(&self) -> Result<Permit, Refused> {
        match self.try_enter() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(Refused::Draining),
            Err(TryAcquireError::NoPermits) => {}
        }
        let _turn = self.line_up()?;
        match tokio::time::timeout(self.queue.time, self.wait()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_closed)) => Err(Refused::Draining),
            Err(_elapsed) => Err(Refused::QueueTime(self.queue.time)),
        }
    }

    /// Turns away whoever waits for a permit of the function. The permits of the worker are closed by their owner.
    pub(in crate::serve) fn close(&self) {
        if let [Some(function), ..] = &self.gates {
            function.close();
        }
    }

    /// How many requests wait at this moment.
    pub(in crate::serve) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn try_enter(&self) -> Result<Permit, TryAcquireError> {
        let mut permits = [const { None }; GATES];
        for (permit, gate) in permits.iter_mut().zip(&self.gates) {
            if let Some(gate) = gate {
                *permit = Some(Arc::clone(gate).try_acquire_owned()?);
            }
        }
        Ok(Permit {
            _permits: permits,
            has_waited: false,
        })
    }

    async fn wait(&self) -> Result<Permit, AcquireError> {
        let mut permits = [const { None }; GATES];
        for (permit, gate) in permits.iter_mut().zip(&self.gates) {
            if let Some(gate) = gate {
                *permit = Some(Arc::clone(gate).acquire_owned().await?);
            }
        }
        Ok(Permit {
            _permits: permits,
            has_waited: true,
        })
    }

    fn line_up(&self) -> Result<Waiting<'_>, Refused> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let turn = Waiting(&self.waiting);
        if before >= self.queue.length {
            return Err(Refused::QueueFull(self.queue.length));
        }
        Ok(turn)
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    fn queue(length: usize) -> Queue {
        Queue { length, time: LONG }
    }

    fn admission(permits: usize, queue_length: usize) -> Admission {
        let worker = Arc::new(Semaphore::new(10));
        Admission::new(permits, worker, None, queue(queue_length))
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_until_a_place_is_free() {
        let admission = Arc::new(admission(1, 10));
        let permit = admission.enter().await.unwrap();
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.enter().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(permit);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_says_whether_it_was_waited_for() {
        let admission = Arc::new(admission(1, 10));
        let permit = admission.enter().await.unwrap();
        assert!(!permit.has_waited());
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.enter().await.unwrap().has_waited() }
        });
        tokio::task::yield_now().await;
        drop(permit);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waited_in_vain_is_told_how_long() {
        let admission = admission(1, 10);
        let _place = admission.enter().await.unwrap();
        assert_eq!(
            admission.enter().await.err(),
            Some(Refused::QueueTime(LONG))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded() {
        let admission = admission(1, 0);
        let _place = admission.enter().await.unwrap();
        assert_eq!(admission.enter().await.err(), Some(Refused::QueueFull(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn functions_share_the_places_of_their_worker_and_keep_to_their_own() {
        let worker = Arc::new(Semaphore::new(2));
        let function = |instances| Admission::new(2, Arc::clone(&worker), instances, queue(0));
        let bounded = function(Some(Arc::new(Semaphore::new(1))));
        let other = function(None);
        let full = Some(Refused::QueueFull(0));
        let permit = bounded.enter().await.unwrap();
        assert_eq!(bounded.enter().await.err(), full);
        let _others = other.enter().await.unwrap();
        assert_eq!(other.enter().await.err(), full);
        drop(permit);
        assert!(bounded.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn draining_turns_away_whoever_waits() {
        let admission = Arc::new(admission(1, 10));
        let _place = admission.enter().await.unwrap();
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.enter().await.map(drop) }
        });
        tokio::task::yield_now().await;
        admission.close();
        assert_eq!(waiting.await.unwrap(), Err(Refused::Draining));
    }
}
