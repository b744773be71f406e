//! Instances that are made before a request needs them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::pool::WarmPool;
use crate::runnable::Runnable;
use crate::trial;

/// How long to wait after one could not be made.
const PAUSE: Duration = Duration::from_secs(10);

/// Makes as many instances as the function wants at the least. Answers whether all are there. Idle ones of others do not
/// give way.
pub(crate) async fn make(runnable: &Runnable, pool: &Arc<WarmPool>) -> bool {
    let needs = runnable.linked.inspection().memory.unwrap_or(0);
    while pool.lacks() {
        if !runnable.budget.has(needs) {
            return false;
        }
        match trial::instantiate(runnable).await {
            Ok(instance) => pool.put_new(instance),
            Err(_) => return false,
        }
    }
    true
}

/// Makes those that are lacking in a task of this runtime, unless one does so already.
pub(super) fn start(pool: &Arc<WarmPool>) {
    if let Ok(runtime) = Handle::try_current()
        && pool.begins_to_fill()
    {
        runtime.spawn(Filling(Arc::downgrade(pool)).run());
    }
}

/// The task that fills a pool.
struct Filling(Weak<WarmPool>);

impl Filling {
    async fn run(self) {
        loop {
            let Some((pool, runnable)) = self.0.upgrade().and_then(|pool| {
                let runnable = pool.runnable()?;
                Some((pool, runnable))
            }) else {
                return;
            };
            if make(&runnable, &pool).await {
                return;
            }
            drop((pool, runnable));
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.ends_to_fill();
        }
    }
}
