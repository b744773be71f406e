//! How many connections each worker has, so that a few connections still use every core.
//!
//! The kernel deals connections to the workers' accept queues by a hash. With few connections that leaves workers idle:
//! four land on one of two workers in one case of eight. So a worker that accepts one hands it to the least busy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open connections of each worker.
pub(in crate::serve) struct Loads {
    open: Mutex<Vec<usize>>,
    limit: usize,
}

/// A connection's permit to be served by a worker, given back when dropped.
pub(in crate::serve) struct ConnectionPermit {
    loads: Arc<Loads>,
    worker: usize,
}

impl Loads {
    /// For `workers` workers and at most `limit` connections in all.
    pub(in crate::serve) fn new(workers: usize, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::new(vec![0; workers]),
            limit,
        })
    }

    /// Takes a permit of the worker that has the fewest connections; with `own` among equals. `None` when full.
    pub(in crate::serve) fn acquire(self: &Arc<Self>, own: usize) -> Option<ConnectionPermit> {
        let mut open = self.open();
        if open.iter().sum::<usize>() >= self.limit {
            return None;
        }
        let fewest = open.iter().copied().min()?;
        let worker = match open.get(own) {
            Some(&count) if count == fewest => own,
            _ => open.iter().position(|&count| count == fewest)?,
        };
        open[worker] += 1;
        Some(ConnectionPermit {
            loads: Arc::clone(self),
            worker,
        })
    }

    fn open(&self) -> MutexGuard<'_, Vec<usize>> {
        // Taken once per connection, not per request; nothing under it panics.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// The worker that is to serve the connection.
    pub(in crate::serve) fn worker(&self) -> usize {
        self.worker
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if let Some(count) = self.loads.open().get_mut(self.worker) {
            *count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_connections_to_one_accept_queue_are_spread_over_two_workers() {
        let loads = Loads::new(2, 100);
        let permits: Vec<_> = (0..4).map(|_| loads.acquire(0).unwrap()).collect();
        let on_first = permits.iter().filter(|permit| permit.worker() == 0).count();
        assert_eq!(on_first, 2);
    }

    #[test]
    fn beyond_the_limit_nobody_is_taken_until_someone_leaves() {
        let loads = Loads::new(2, 2);
        let first = loads.acquire(0).unwrap();
        let _second = loads.acquire(0).unwrap();
        assert!(loads.acquire(0).is_none());
        drop(first);
        assert!(loads.acquire(0).is_some());
    }
}
