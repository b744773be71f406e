//! Keeps a registry up to date for ever: one task looks at the store, and another one loads, which takes long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Registry;
use crate::serve::drain::Drain;
use crate::signals::Hangups;
use crate::store::POLL;

/// What readiness calls the store.
const STORE: &str = "store";

/// A registry, and how the tasks that share it wake each other.
struct Following {
    registry: Mutex<Registry>,
    /// Something may be to load.
    looked: Notify,
    /// Something may be to tell.
    loaded: Notify,
}

/// Keeps the catalog like the store, for ever. What is loaded from files is loaded again after a hang-up, until the drain
/// begins.
pub(in crate::serve) async fn follow(registry: Registry, hangups: Hangups, drain: Drain) {
    let following = Arc::new(Following {
        registry: Mutex::new(registry),
        looked: Notify::new(),
        loaded: Notify::new(),
    });
    tokio::join!(
        look(&following),
        load(&following),
        load_again(&following, hangups, drain)
    );
}

impl Following {
    /// What a panic leaves behind is looked at again.
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work` off this thread, which answers the control plane.
async fn apart<T: Send + 'static>(
    following: &Arc<Following>,
    work: impl FnOnce(&Following) -> T + Send + 'static,
) -> Result<T, String> {
    let following = Arc::clone(following);
    let done = tokio::task::spawn_blocking(move || work(&following)).await;
    done.map_err(|error| error.to_string())
}

async fn look(following: &Arc<Following>) {
    let (mut changes, readiness) = {
        let registry = following.registry();
        (registry.store.changes(), Arc::clone(&registry.readiness))
    };
    loop {
        let looked = apart(following, |following| following.registry().look()).await;
        following.looked.notify_one();
        let problem = match looked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error),
        };
        // Told once, not five times a second.
        if readiness.note(STORE, problem.clone())
            && let Some(problem) = &problem
        {
            tracing::error!("changes of functions are not taken up: {problem}");
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = following.loaded.notified() => {}
            () = tokio::time::sleep(POLL), if problem.is_some() => {}
        }
    }
}

async fn load(following: &Arc<Following>) {
    loop {
        let loaded = apart(following, |following| {
            // The registry is free while functions are loaded.
            let batch = following.registry().next_batch(Instant::now());
            if let Some(batch) = batch {
                let loaded = batch.load();
                following.registry().take_up(loaded);
                // The next look tells the store.
                following.loaded.notify_one();
            }
            following.registry().pause(Instant::now())
        });
        let pause = loaded.await.unwrap_or_else(|error| {
            tracing::error!("functions are not loaded: {error}");
            Duration::ZERO
        });
        // What is due still could not be loaded just now.
        let _ = tokio::time::timeout(pause.max(POLL), following.looked.notified()).await;
    }
}

async fn load_again(following: &Arc<Following>, mut hangups: Hangups, mut drain: Drain) {
    loop {
        tokio::select! {
            biased;
            () = drain.begun() => return,
            () = hangups.next() => {}
        }
        // What fails shows in the next look.
        let _ = apart(following, |following| following.registry().load_again()).await;
        following.looked.notify_one();
    }
}
