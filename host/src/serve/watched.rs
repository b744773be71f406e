//! Notices the end of what should go on: a fault that only stderr tells of would leave a host that says it is ready.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::readiness::Readiness;
use crate::logs::OnFault;

const ENDED: &str =
    "it ended by a fault of this program, of which stderr tells; start the host again";

/// Runs `task` within a runtime. Should it panic, the host is not ready any more, because of `subject`.
pub(super) fn spawn(
    readiness: &Arc<Readiness>,
    subject: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let readiness = Arc::clone(readiness);
    let task = tokio::spawn(task);
    tokio::spawn(async move {
        if task.await.is_err_and(|error| error.is_panic()) {
            readiness.note(subject, Some(ENDED.into()));
        }
    })
}

/// Runs `work` on this thread, likewise.
pub(super) fn run(readiness: &Readiness, subject: &str, work: impl FnOnce()) {
    // What it was working on is not looked at again.
    if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
        readiness.note(subject, Some(ENDED.into()));
    }
}

/// For threads that do not know of readiness: notes that the one of the given name has ended by a fault.
pub(super) fn note_fault(readiness: &Arc<Readiness>) -> OnFault {
    let readiness = Arc::clone(readiness);
    Arc::new(move |name| {
        readiness.note(name, Some(ENDED.into()));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_by_a_panic_makes_the_host_unready_and_what_ends_by_itself_does_not() {
        let readiness = Arc::new(Readiness::default());
        spawn(&readiness, "a", async {}).await.unwrap();
        run(&readiness, "b", || {});
        assert!(readiness.problems().is_empty());
        spawn(&readiness, "c", async { panic!("as meant") })
            .await
            .unwrap();
        run(&readiness, "d", || panic!("as meant"));
        let problems = readiness.problems();
        assert!(problems[0].starts_with("c: ") && problems[1].starts_with("d: "));
    }
}
