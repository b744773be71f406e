//! What the host holds of HTTP fields, paths and queries for one execution, charged to its memory.
//!
//! They are in no linear memory, yet a guest decides how many there are: it makes them, and it asks others for them. Each
//! call that may add some notes how many bytes at most. When these add up to more than is charged so far, what is
//! really there is counted, and charged with something on top, so that counting stays rare. Nothing is noted when
//! something is let go: the next count finds it gone.

use http::{HeaderMap, Uri};
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::FieldMap;
use wasmtime_wasi_http::p2::body::HostFutureTrailers;
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest,
};
use wasmtime_wasi_http::p3;

use super::error::HeldTooMuch;
use super::field_size::{field_bytes, head_bytes};
use super::interfaces::Cas;
use super::limits::KIB;
use super::meter::Meter;
use super::outgoing::OutgoingResponse;

/// Bytes that no execution is charged for; at least half as many are noted between two counts. Ordinary requests stay
/// within it and cost no more than an addition.
const FREE: u64 = 64 * KIB;

/// Between two counts, as much is noted as is held divided by this.
const FRACTION: u64 = 8;

/// The account of one execution, in bytes.
#[derive(Debug)]
pub(crate) struct Charges {
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

impl Charges {
    /// Notes the head of the request, which is held for as long as the execution lasts.
    pub(crate) fn receive(&mut self, headers: &HeaderMap, uri: &Uri) {
        self.keep(head_bytes(headers, uri));
    }

    /// Notes the head of a request that is held for as long as its guest has it.
    pub(crate) fn note_head(&mut self, headers: &HeaderMap, uri: &Uri) {
        self.noted = self.noted.saturating_add(head_bytes(headers, uri));
    }

    /// Notes trailers that leave the table of resources and wait, maybe to the end, until their body is sent.
    pub(crate) fn send_trailers(&mut self, trailers: &HeaderMap) {
        self.keep(field_bytes(trailers));
    }

    fn keep(&mut self, bytes: u64) {
        self.kept += bytes;
        self.noted += bytes;
    }

    /// What is held to the end.
    pub(crate) fn kept(&self) -> u64 {
        self.kept
    }

    /// Notes that `bytes` more may be held. Answers whether what is held has to be counted.
    pub(crate) fn note(&mut self, bytes: u64) -> bool {
        self.noted = self.noted.saturating_add(bytes);
        self.noted > self.covered
    }

    /// Charges for what is `held` by a count, with something on top.
    ///
    /// # Errors
    /// If the memory limit does not allow that.
    pub(crate) fn cover(&mut self, held: u64, meter: &mut Meter) -> Result<(), HeldTooMuch> {
        let covered = covered(held);
        if !meter.charge(covered - FREE) {
            return Err(HeldTooMuch);
        }
        self.noted = held;
        self.covered = covered;
        Ok(())
    }

    /// Charges no more than what is `held` by a count.
    pub(crate) fn settle(&mut self, held: u64, meter: &mut Meter) {
        let covered = held.max(FREE).min(self.covered);
        // Never more than before, so it fits.
        meter.charge((covered - FREE).min(meter.charged()));
        self.noted = held;
        self.covered = covered;
    }
}

/// What may be noted, where so much is held, before it has to be counted again.
fn covered(held: u64) -> u64 {
    match held <= FREE / 2 {
        true => FREE,
        false => held + (held / FRACTION).max(FREE / 2),
    }
}

/// What the resources in `table` hold. A map that some of them share counts for each: any change parts them.
pub(crate) fn held_in(table: &mut ResourceTable) -> u64 {
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
        } else if let Some(request) = entry.downcast_ref::<p3::Request>() {
            let path = request.path_with_query.as_ref();
            sum += field_bytes(&request.headers);
            sum += path.map_or(0, |path| path.as_str().len()) as u64;
        } else if let Some(response) = entry.downcast_ref::<p3::Response>() {
            sum += field_bytes(&response.headers);
        } else if let Some(HostFutureTrailers::Done(Ok(Some(trailers)))) = entry.downcast_ref() {
            sum += field_bytes(trailers);
        } else if let Some(cas) = entry.downcast_ref::<Cas>() {
            sum += cas.key.len() as u64;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::field_size::EACH_FIELD;
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
}
