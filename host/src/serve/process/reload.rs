//! Takes up changes of files: on SIGHUP, or by watching.

use std::sync::{Arc, Mutex, PoisonError};

use crate::counted::counted;
use crate::serve::drain::Drain;
use crate::serve::error::ServeError;
use crate::serve::functions::component::RootComponent;
use crate::serve::functions::declared::DeclaredFunctions;
use crate::serve::watch;
use crate::signals::Hangups;

/// What is loaded from files.
pub(in crate::serve) struct Files {
    pub(in crate::serve) root: Option<RootComponent>,
    pub(in crate::serve) declared: Option<DeclaredFunctions>,
}

/// Loads again what has changed, until the drain begins.
pub(in crate::serve) async fn follow(
    files: Files,
    watch: bool,
    mut hangups: Hangups,
    mut drain: Drain,
) {
    let mut root = files.root;
    let declared = files
        .declared
        .map(|declared| Arc::new(Mutex::new(declared)));
    let mut looks = tokio::time::interval(watch::POLL);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_asked = tokio::select! {
            biased;
            () = drain.begun() => return,
            () = hangups.next() => true,
            _ = looks.tick(), if watch => false,
        };
        if let Some(root) = &mut root
            && (root.has_changed() || is_asked)
        {
            root.reload().await;
        }
        if let Some(declared) = &declared {
            let declared = Arc::clone(declared);
            // Components are compiled, and this thread answers the control plane.
            let applied = tokio::task::spawn_blocking(move || apply(&declared, is_asked));
            if let Ok(Some(outcome)) = applied.await {
                tell(&outcome);
            }
        }
    }
}

fn apply(declared: &Mutex<DeclaredFunctions>, is_asked: bool) -> Option<Result<usize, ServeError>> {
    let mut declared = declared.lock().unwrap_or_else(PoisonError::into_inner);
    (declared.has_changed() || is_asked).then(|| declared.apply())
}

fn tell(outcome: &Result<usize, ServeError>) {
    match outcome {
        Ok(number) => {
            let functions = counted(*number, "function");
            tracing::info!("The configuration was read again; it declares {functions}.");
        }
        Err(error) => tracing::error!("the old configuration stays in use: {error}"),
    }
}
