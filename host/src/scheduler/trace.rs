//! The trace that an attempt begins: W3C Trace Context, level 1, section 3.2.

use crate::logs::Trace;

/// A new one.
pub(super) fn begin() -> Trace {
    let (mut trace_id, mut span_id): ([u8; 16], [u8; 8]) = (rand::random(), rand::random());
    // All zeros would be no trace.
    trace_id[15] |= 1;
    span_id[7] |= 1;
    Trace { trace_id, span_id }
}

/// As `traceparent` says it, sampled.
pub(super) fn header(trace: Trace) -> String {
    let trace_id = u128::from_be_bytes(trace.trace_id);
    let span_id = u64::from_be_bytes(trace.span_id);
    format!("00-{trace_id:032x}-{span_id:016x}-01")
}
