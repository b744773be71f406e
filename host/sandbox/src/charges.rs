//! What the host holds of HTTP fields, paths and queries for one execution, charged to its memory.
//!
//! They are in no linear memory, yet a guest decides how many there are: it makes them, and it asks others for them. Each
//! call that may add some notes how many bytes at most. When these add up to more than is charged so far, what is
//! really there is counted, and charged with something on top, so that counting stays rare. Nothing is noted when
//! something is let go: the next count finds it gone.

mod calls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Uri};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::FieldMap;
use wasmtime_wasi_http::p2::body::HostFutureTrailers;
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest,
};

use super::instance::State;
use super::limits::KIB;
use super::outgoing::OutgoingResponse;

pub(super) use calls::levy;

/// Bytes that no execution is charged for; at least half as many are noted between two counts. Ordinary requests stay
/// within it and cost no more than an addition.
const FREE: u64 = 64 * KIB;

/// Between two counts, as much is noted as is held divided by this.
const FRACTION: u64 = 8;

/// Bytes that a map takes for each field beyond those of its name and its value: its entry, with the room that maps
/// keep to grow, and its place in the index.
const EACH_FIELD: u64 = 160;

/// The guest had the host hold more than its memory limit, or that of all, has left.
#[derive(Debug, thiserror::Error)]
#[error(
    "HTTP fields, paths, queries and bodies that the host holds for the guest take too much memory"
)]
pub(super) struct HeldTooMuch;

/// The account of one execution, in bytes.
#[derive(Debug)]
pub(super) struct Charges {
    /// Held at the last count, and noted since.
    noted: u64,
    /// What may be noted before the next count.
    covered: u64,
    /// Held to the end, whatever the guest does: the head of the request, and trailers that were sent.
    kept: u64,
}

impl Default for Charges {
    fn default() -> Self {
        Self {
            noted: 0,
            covered: FREE,
            kept: 0,
        }
    }
}

/// A head that is being sent, until this is dropped.
pub(super) struct SentHead {
    bytes: u64,
    sum: Arc<AtomicU64>,
}

impl SentHead {
    pub(super) fn new(sum: &Arc<AtomicU64>, headers: &HeaderMap, uri: &Uri) -> Self {
        let bytes = head_bytes(headers, uri);
        sum.fetch_add(bytes, Ordering::Relaxed);
        Self {
            bytes,
            sum: Arc::clone(sum),
        }
    }
}

impl Drop for SentHead {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Charges {
    /// Notes the head of the request, which is held for as long as the execution lasts.
    pub(super) fn receive(&mut self, headers: &HeaderMap, uri: &Uri) {
        self.keep(head_bytes(headers, uri));
    }

    /// Notes trailers that leave the table of resources and wait, maybe to the end, until their body is sent.
    pub(super) fn send_trailers(&mut self, trailers: &HeaderMap) {
        self.keep(field_bytes(trailers));
    }

    fn keep(&mut self, bytes: u64) {
        self.kept += bytes;
        self.noted += bytes;
    }
}

impl State {
    /// Notes that the guest has the host hold `bytes` more.
    ///
    /// # Errors
    /// [`HeldTooMuch`], if its memory limit does not allow that.
    pub(super) fn hold(&mut self, bytes: u64) -> wasmtime::Result<()> {
        self.charges.noted = self.charges.noted.saturating_add(bytes);
        if self.charges.noted <= self.charges.covered {
            return Ok(());
        }
        let held = self.held();
        let covered = covered(held);
        if !self.meter.charge(covered - FREE) {
            return Err(HeldTooMuch.into());
        }
        self.charges.noted = held;
        self.charges.covered = covered;
        Ok(())
    }

    /// What is held, by a count of all there is.
    fn held(&mut self) -> u64 {
        self.charges.kept + self.hooks.sending() + held_in(&mut self.table)
    }

    /// Charges no more than what is held by now.
    fn settle(&mut self) {
        let held = self.held();
        let covered = held.max(FREE).min(self.charges.covered);
        // Never more than before, so it fits.
        self.meter
            .charge((covered - FREE).min(self.meter.charged()));
        self.charges.noted = held;
        self.charges.covered = covered;
    }
}

/// What may be noted, where so much is held, before it has to be counted again.
fn covered(held: u64) -> u64 {
    match held <= FREE / 2 {
        true => FREE,
        false => held + (held / FRACTION).max(FREE / 2),
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if self.meter.charged() > 0 && !self.meter.has_room(more) {
            self.settle();
        }
        Ok(self.meter.grow_memory(current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.meter.grow_table(current, desired, maximum))
    }

    fn instances(&self) -> usize {
        super::parts::MOST_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        super::parts::MOST.tables as usize
    }

    fn memories(&self) -> usize {
        super::parts::MOST.memories as usize
    }
}

/// What `fields` take in memory, in bytes.
fn field_bytes(fields: &HeaderMap) -> u64 {
    let field = |name: &str, value: &[u8]| (name.len() + value.len()) as u64 + EACH_FIELD;
    fields
        .iter()
        .map(|(name, value)| field(name.as_str(), value.as_bytes()))
        .sum()
}

fn head_bytes(headers: &HeaderMap, uri: &Uri) -> u64 {
    let target = uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    field_bytes(headers) + target as u64
}

/// What the resources in `table` hold. A map that some of them share counts for each: any change parts them.
fn held_in(table: &mut ResourceTable) -> u64 {
    let mut sum = 0;
    for entry in table.iter_mut() {
        if let Some(fields) = entry.downcast_ref::<FieldMap>() {
            sum += field_bytes(fields);
        } else if let Some(request) = entry.downcast_ref::<HostOutgoingRequest>() {
            sum += field_bytes(&request.headers);
            sum += request.path_with_query.as_ref().map_or(0, String::len) as u64;
        } else if let Some(response) = entry.downcast_ref::<OutgoingResponse>() {
            sum += field_bytes(&response.headers);
        } else if let Some(response) = entry.downcast_ref::<HostIncomingResponse>() {
            sum += field_bytes(&response.headers);
        } else if let Some(HostFutureIncomingResponse::Ready(Ok((response, _)))) =
            entry.downcast_ref()
        {
            sum += field_bytes(response.headers());
        } else if let Some(HostFutureTrailers::Done(Ok(Some(trailers)))) = entry.downcast_ref() {
            sum += field_bytes(trailers);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: usize) -> FieldMap {
        let mut fields = FieldMap::new_mutable(usize::MAX);
        let value = http::HeaderValue::from_bytes(&vec![b'x'; bytes]).unwrap();
        let name = http::HeaderName::from_static("long");
        fields.append_raw(name, value).unwrap();
        fields
    }

    #[test]
    fn all_that_the_table_has_counts_and_what_is_gone_does_not() {
        let mut table = ResourceTable::new();
        let of_one = 4 + 1000 + EACH_FIELD;
        let first = table.push(fields(1000)).unwrap();
        let shared = table.get(&first).unwrap().clone();
        table.push(shared).unwrap();
        assert_eq!(held_in(&mut table), 2 * of_one);
        table.delete(first).unwrap();
        let request = HostOutgoingRequest {
            method: http::Method::GET.into(),
            scheme: None,
            authority: None,
            path_with_query: Some("/path?query".to_owned()),
            headers: fields(1000),
            body: None,
        };
        let request = table.push(request).unwrap();
        table
            .push(HostIncomingResponse {
                status: 200,
                headers: fields(1000),
                body: None,
            })
            .unwrap();
        table
            .push(HostFutureTrailers::Done(Ok(Some(fields(1000).into()))))
            .unwrap();
        assert_eq!(held_in(&mut table), 4 * of_one + 11);
        table.delete(request).unwrap();
        assert_eq!(held_in(&mut table), 3 * of_one);
    }

    #[test]
    fn what_is_free_stays_so_however_often_it_is_counted() {
        assert_eq!(covered(0), FREE);
        assert_eq!(covered(FREE / 2), FREE);
        for held in [FREE / 2 + 1, FREE, FREE * 100] {
            let covered = covered(held);
            assert!(covered - held >= FREE / 2, "counting stays rare: {held}");
            assert!(covered - FREE <= held + held / FRACTION, "{held}");
        }
    }

    #[test]
    fn a_head_counts_for_as_long_as_it_is_being_sent() {
        let sum = Arc::default();
        let uri = Uri::from_static("http://here/path?query");
        let headers: HeaderMap = fields(1000).into();
        let sending = SentHead::new(&sum, &headers, &uri);
        assert_eq!(sum.load(Ordering::Relaxed), 4 + 1000 + EACH_FIELD + 11);
        drop(sending);
        assert_eq!(sum.load(Ordering::Relaxed), 0);
    }
}
