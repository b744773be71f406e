//! Descriptors that the control plane holds in store, for when others have taken all the rest.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections can be answered then at once.
const SPARES: usize = 8;

/// The store.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Vec<File>>);

impl Spares {
    pub(super) fn new() -> Arc<Self> {
        let spares = Arc::new(Self::default());
        spares.refill();
        spares
    }

    /// Gives one back to the system; tells whether there was one.
    pub(super) fn give_up_one(&self) -> bool {
        self.lock().pop().is_some()
    }

    /// Takes as many as it lacks, as far as the system has any.
    fn refill(&self) {
        let mut spares = self.lock();
        while spares.len() < SPARES
            && let Ok(spare) = File::open("/dev/null")
        {
            spares.push(spare);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fills the store again when dropped: to be done as soon as a descriptor is free, before others see it.
pub(super) struct Refill(pub(super) Arc<Spares>);

impl Drop for Refill {
    fn drop(&mut self) {
        self.0.refill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spare_is_given_up_once_and_replaced_when_a_connection_ends() {
        let spares = Spares::new();
        let refill = Refill(Arc::clone(&spares));
        let given = std::iter::repeat_with(|| spares.give_up_one());
        assert_eq!(given.take_while(|given| *given).count(), SPARES);
        drop(refill);
        assert!(spares.give_up_one());
    }
}
