//! The connections of the control plane.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// Connections served at once: operators, probes and scrapers are few. Beyond that the oldest one gives way, so that
/// nobody keeps others out by holding them all.
const CONNECTIONS: usize = 256;

/// Whether somebody who is known has a method called on a connection at this moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing(Arc<AtomicBool>);

impl Standing {
    /// A call has begun, and ends when what this answers is dropped.
    pub(super) fn begin(&self) -> InCall {
        self.0.store(true, Ordering::Relaxed);
        InCall(self.clone())
    }

    fn is_in_call(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A call that is going on, up to the last part of its answer.
#[derive(Debug)]
pub(super) struct InCall(Standing);

impl Drop for InCall {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// Connections that are open, oldest first.
#[derive(Debug, Default)]
pub(super) struct Open(VecDeque<(AbortHandle, Standing)>);

impl Open {
    /// Adds one, for which another one may have to give way.
    pub(super) fn add(&mut self, connection: AbortHandle, standing: Standing) {
        self.0.retain(|(open, _)| !open.is_finished());
        while self.0.len() >= CONNECTIONS {
            let _ = self.cut_oldest();
        }
        self.0.push_back((connection, standing));
    }

    /// Ends the connection that has been open for longest, if there is one without a call; tells whether there was any.
    pub(super) fn cut_oldest(&mut self) -> bool {
        let mut open = self.0.iter();
        let first = open.position(|(_, standing)| !standing.is_in_call());
        let oldest = self.0.remove(first.unwrap_or_default());
        oldest.inspect(|(open, _)| open.abort()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_connection_without_a_call_gives_way_to_one_more_than_there_may_be() {
        let mut open = Open::default();
        let mut tasks = VecDeque::new();
        let calling = Standing::default();
        let in_call = calling.begin();
        for number in 0..=CONNECTIONS {
            let task = tokio::spawn(std::future::pending::<()>());
            let standing = match number {
                0 => calling.clone(),
                _ => Standing::default(),
            };
            open.add(task.abort_handle(), standing);
            tasks.push_back(task);
        }
        let oldest = tasks.remove(1).unwrap();
        assert!(oldest.await.unwrap_err().is_cancelled());
        assert!(tasks.iter().all(|task| !task.is_finished()));
        drop(in_call);
        assert!(open.cut_oldest());
        let next = tasks.pop_front().unwrap();
        assert!(next.await.unwrap_err().is_cancelled());
    }
}
