//! A place of one request in an instance that has several.

use std::sync::Arc;

use http::Request;
use http::uri::Scheme;
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;

use super::ConcurrentPool;
use super::instance::{Call, ConcurrentInstance, Handled};
use crate::requests::RequestState;
use crate::warm::Retired;

/// A place of one request in an instance. It is given back when this is dropped.
pub(super) struct Place {
    pool: Arc<ConcurrentPool>,
    instance: Arc<ConcurrentInstance>,
    number: u64,
    busy_before: u64,
    is_answered: bool,
}

impl Place {
    /// Takes a place in `instance`, if it has one.
    pub(super) fn in_instance(
        pool: &Arc<ConcurrentPool>,
        instance: &Arc<ConcurrentInstance>,
    ) -> Option<Self> {
        instance.take_place().then(|| Self {
            pool: Arc::clone(pool),
            instance: Arc::clone(instance),
            number: pool.next_number(),
            busy_before: instance.busy(),
            is_answered: false,
        })
    }

    /// Gives `request` to the guest.
    pub(super) fn handle(
        &self,
        state: RequestState,
        request: Request<WasiBody>,
        scheme: Scheme,
    ) -> oneshot::Receiver<Handled> {
        let (handled, ended) = oneshot::channel();
        let call = Call {
            number: self.number,
            state,
            request,
            scheme,
        };
        self.instance.give(call, handled);
        ended
    }

    /// Processor time that the instance took for each of its requests since this place was taken, in nanoseconds.
    pub(super) fn busy(&self) -> u64 {
        self.instance.busy() - self.busy_before
    }

    /// Takes note that the request was handled.
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_answered {
            // A call that was given up cannot be ended alone.
            self.pool.retire(&self.instance, Retired::Failed);
            self.instance.give_up(self.number);
        } else if self.instance.is_used_up() {
            self.pool.retire(&self.instance, Retired::Requests);
        } else if self.instance.is_last_place() && self.pool.has_idle_enough() {
            self.pool.retire(&self.instance, Retired::Surplus);
        }
        self.instance.leave();
    }
}
