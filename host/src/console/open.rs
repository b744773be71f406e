//! The connections of the control plane.

use std::collections::VecDeque;

use tokio::task::AbortHandle;

/// Connections served at once: operators, probes and scrapers are few. Beyond that the oldest one gives way, so that
/// nobody keeps others out by holding them all.
const CONNECTIONS: usize = 256;

/// Connections that are open, oldest first.
#[derive(Debug, Default)]
pub(super) struct Open(VecDeque<AbortHandle>);

impl Open {
    /// Adds one, for which another one may have to give way.
    pub(super) fn add(&mut self, connection: AbortHandle) {
        self.0.retain(|open| !open.is_finished());
        while self.0.len() >= CONNECTIONS {
            let _ = self.cut_oldest();
        }
        self.0.push_back(connection);
    }

    /// Ends the connection that has been open for longest; tells whether there was one.
    pub(super) fn cut_oldest(&mut self) -> bool {
        let oldest = self.0.pop_front();
        oldest.inspect(AbortHandle::abort).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_connection_gives_way_to_one_more_than_there_may_be() {
        let mut open = Open::default();
        let mut tasks = VecDeque::new();
        for _ in 0..=CONNECTIONS {
            let task = tokio::spawn(std::future::pending::<()>());
            open.add(task.abort_handle());
            tasks.push_back(task);
        }
        let oldest = tasks.pop_front().unwrap();
        assert!(oldest.await.unwrap_err().is_cancelled());
        assert!(tasks.iter().all(|task| !task.is_finished()));
    }
}
