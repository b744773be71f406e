//! How much one execution may use.

use std::time::Duration;

use super::setters::setters;

/// One kibibyte.
pub const KIB: u64 = 1024;
/// One mebibyte.
pub const MIB: u64 = 1024 * KIB;

/// What one execution of a function may use at most. Each bound is enforced for every execution.
///
/// The default suits a small web function; see each field for its figure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of linear memory, summed over all memories of the instance; of the HTTP fields, paths, queries, keys and
    /// values that the host holds for it, as far as these are over 64 KiB; and of what stands unread in the bodies that it
    /// sends, as far as that is over 128 KiB. Default 256 MiB.
    pub memory: u64,
    /// Wall time from start to end, waiting included. Default 60 s.
    pub wall_time: Duration,
    /// Table elements, summed over all tables of the instance. Default 64,000.
    pub table_elements: usize,
    /// Host resources (streams, requests, fields, …) held at once. Default 1,024.
    pub handles: usize,
    /// Bytes that one call from the guest may make the host copy. Default 256 KiB.
    pub host_copies: usize,
    /// Random bytes handed out by one call. Default 1 MiB.
    pub random_bytes: u64,
    /// Bytes of one set of header or trailer fields made by the guest, as they are kept in memory. Default 128 KiB.
    pub fields: usize,
    /// Bytes of the request body. Default 10 MiB.
    pub request_body: u64,
    /// Bytes of the response body; `None` lets the function stream without end. Default 32 MiB.
    pub response_body: Option<u64>,
    /// Bytes printed to stdout and stderr together; what is over is dropped and counted. A line counts for 128 bytes
    /// ([`LEAST_LINE`](crate::output::LEAST_LINE)) at the least. Default 256 KiB.
    pub log_output: usize,
    /// How long the client may pause within the request body. Default 30 s.
    pub request_idle: Duration,
    /// Requests of one execution that may be under way to the outside at once. Default 16.
    pub outbound_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 * MIB,
            wall_time: Duration::from_secs(60),
            table_elements: 64_000,
            handles: 1024,
            host_copies: 256 * KIB as usize,
            random_bytes: MIB,
            fields: 128 * KIB as usize,
            request_body: 10 * MIB,
            response_body: Some(32 * MIB),
            log_output: 256 * KIB as usize,
            request_idle: Duration::from_secs(30),
            outbound_requests: 16,
        }
    }
}

setters!(Limits {
    memory: u64,
    wall_time: Duration,
    table_elements: usize,
    handles: usize,
    host_copies: usize,
    random_bytes: u64,
    fields: usize,
    request_body: u64,
    response_body: Option<u64>,
    log_output: usize,
    request_idle: Duration,
    outbound_requests: usize,
});
