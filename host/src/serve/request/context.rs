//! What is known of a request from its head, whatever becomes of it.

use std::net::IpAddr;

use http::HeaderMap;

use super::{answer, trace};
use crate::execution_id::ExecutionId;
use crate::logs::Trace;

/// Names a request in answers and in the log.
#[derive(Clone, Copy)]
pub(in crate::serve) struct RequestContext {
    /// The execution id of its answer.
    pub(in crate::serve) id: ExecutionId,
    /// The trace that it belongs to.
    pub(in crate::serve) trace: Trace,
    /// The caller's span, if it named one.
    pub(in crate::serve) parent_span: Option<[u8; 8]>,
    /// Where it comes from: the other end of the connection, or whom a trusted proxy there says it speaks for.
    pub(in crate::serve) client: IpAddr,
    /// Whether the client prefers JSON to text.
    pub(in crate::serve) wants_json: bool,
}

impl RequestContext {
    /// Of the request with these `headers`, whose trace is entered, from the other end of the connection.
    pub(in crate::serve) fn new(headers: &mut HeaderMap, peer: IpAddr) -> Self {
        let (trace, parent_span) = trace::enter(headers);
        Self {
            id: ExecutionId::random(),
            trace,
            parent_span,
            client: peer,
            wants_json: answer::wants_json(headers),
        }
    }
}
