//! Keeps a registry up to date for ever: one task looks at the store, and another one loads, which takes long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::Registry;
use crate::serve::drain::Drain;
use crate::signals::Hangups;

/// How often the store is asked whether something has changed.
const POLL: Duration = Duration::from_millis(200);
/// What readiness calls the store.
const STORE: &str = "store";

/// Keeps the catalog like the store, for ever. What is loaded from files is loaded again after a hang-up, until the drain
/// begins.
pub(in crate::serve) async fn follow(registry: Registry, hangups: Hangups, drain: Drain) {
    let registry = Arc::new(Mutex::new(registry));
    tokio::join!(
        look(Arc::clone(&registry)),
        load(Arc::clone(&registry)),
        load_again(registry, hangups, drain)
    );
}

/// What a panic leaves behind is looked at again.
fn lock(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` off this thread, which answers the control plane.
async fn apart<T: Send + 'static>(
    registry: &Arc<Mutex<Registry>>,
    work: impl FnOnce(&Mutex<Registry>) -> T + Send + 'static,
) -> Result<T, String> {
    let registry = Arc::clone(registry);
    let done = tokio::task::spawn_blocking(move || work(&registry)).await;
    done.map_err(|error| error.to_string())
}

async fn look(registry: Arc<Mutex<Registry>>) {
    let readiness = Arc::clone(&lock(&registry).readiness);
    let mut looks = tokio::time::interval(POLL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let looked = apart(&registry, |registry| lock(registry).look()).await;
        let problem = match looked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error),
        };
        // Told once, not five times a second.
        if readiness.note(STORE, problem.clone())
            && let Some(problem) = problem
        {
            tracing::error!("changes of functions are not taken up: {problem}");
        }
    }
}

async fn load(registry: Arc<Mutex<Registry>>) {
    let mut looks = tokio::time::interval(POLL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let loaded = apart(&registry, |registry| {
            // The registry is free while functions are loaded.
            let batch = lock(registry).next_batch(Instant::now());
            if let Some(batch) = batch {
                let loaded = batch.load();
                let mut registry = lock(registry);
                registry.take_up(loaded);
                // If it cannot be told now, the next look tells it.
                let _ = registry.tell();
            }
        });
        if let Err(error) = loaded.await {
            tracing::error!("functions are not loaded: {error}");
        }
    }
}

async fn load_again(registry: Arc<Mutex<Registry>>, mut hangups: Hangups, mut drain: Drain) {
    loop {
        tokio::select! {
            biased;
            () = drain.begun() => return,
            () = hangups.next() => {}
        }
        // What fails shows in the next look.
        let _ = apart(&registry, |registry| lock(registry).load_again()).await;
    }
}
