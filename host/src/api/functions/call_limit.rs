//! How many calls of functions are made at once: each keeps a thread of the control plane for as long as the function takes.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::{Code, Status};

/// The most calls at once.
const MOST: usize = 8;

/// Counts the calls that are being made.
#[derive(Debug, Default)]
pub(crate) struct CallLimit(AtomicUsize);

/// A call that is being made, until it is dropped.
#[derive(Debug)]
pub(super) struct CountedCall<'a>(&'a AtomicUsize);

impl CallLimit {
    /// Counts a call.
    ///
    /// # Errors
    /// If there are as many as there may be.
    pub(super) fn begin(&self) -> Result<CountedCall<'_>, Status> {
        let counted = CountedCall(&self.0);
        match self.0.fetch_add(1, Ordering::Relaxed) < MOST {
            true => Ok(counted),
            false => Err(Status::new(
                Code::ResourceExhausted,
                format!(
                    "{MOST} functions are being called by the control plane, which is the limit; try again later, or call \
                     the function at its own URL"
                ),
            )),
        }
    }
}

impl Drop for CountedCall<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_calls_are_made_at_once() {
        let limit = CallLimit::default();
        let calls: Vec<_> = (0..MOST).map(|_| limit.begin().unwrap()).collect();
        for _ in 0..2 {
            assert_eq!(limit.begin().unwrap_err().code, Code::ResourceExhausted);
        }
        drop(calls);
        assert!(limit.begin().is_ok());
    }
}
