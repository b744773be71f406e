//! Who gets an instance, who waits for one, and who is turned away.
//!
//! Each worker has places of its own, so that nothing is shared on a request's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one function on one worker.
pub(super) struct Admission {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue_length: usize,
    queue_time: Duration,
}

/// A place, given back when dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// Why a request got no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
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

impl Admission {
    pub(super) fn new(places: usize, queue_length: usize, queue_time: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            queue_length,
            queue_time,
        }
    }

    /// Takes a place, in the order of arrival.
    pub(super) async fn enter(&self) -> Result<Place, Refused> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        if self.places.is_closed() {
            return Err(Refused::Draining);
        }
        let _turn = self.queue()?;
        let place = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.queue_time, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(Refused::Draining),
            Err(_elapsed) => Err(Refused::QueueTime(self.queue_time)),
        }
    }

    /// Turns away whoever waits and whoever comes.
    pub(super) fn close(&self) {
        self.places.close();
    }

    fn queue(&self) -> Result<Waiting<'_>, Refused> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let turn = Waiting(&self.waiting);
        if before >= self.queue_length {
            return Err(Refused::QueueFull(self.queue_length));
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

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_until_a_place_is_free() {
        let admission = Arc::new(Admission::new(1, 10, LONG));
        let place = admission.enter().await.unwrap();
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.enter().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(place);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waited_in_vain_is_told_how_long() {
        let admission = Admission::new(1, 10, LONG);
        let _place = admission.enter().await.unwrap();
        assert_eq!(
            admission.enter().await.err(),
            Some(Refused::QueueTime(LONG))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded() {
        let admission = Admission::new(1, 0, LONG);
        let _place = admission.enter().await.unwrap();
        assert_eq!(admission.enter().await.err(), Some(Refused::QueueFull(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn draining_turns_away_whoever_waits() {
        let admission = Arc::new(Admission::new(1, 10, LONG));
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
