//! How a function calls out where the feature `outbound` is off: every call is refused.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, Response};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks,
};

use super::line::Remedy;

/// Names the trace that a request belongs to (W3C Trace Context, section 3.2).
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Takes what is said of calls that were refused.
pub(crate) trait RefusalSink: Send + Sync {
    /// Called at most once for one execution.
    fn refused(&self, line: String, remedy: Option<Remedy>);
}

/// Whom a function may call: nobody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutboundPolicy;

/// Sends nothing.
pub(crate) struct OutboundClient;

impl OutboundClient {
    pub(crate) fn new(_: OutboundPolicy) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

type Sending<T> = Box<dyn Future<Output = T> + Send>;
type Transmitted = Sending<Result<(), Error>>;

/// Refuses the requests of one execution.
pub(crate) struct OutboundHooks {
    sink: Arc<dyn RefusalSink>,
    told: bool,
}

impl OutboundHooks {
    pub(crate) fn new(
        _: Arc<OutboundClient>,
        _: usize,
        sink: Arc<dyn RefusalSink>,
        _: Option<HeaderValue>,
    ) -> Self {
        Self { sink, told: false }
    }

    /// Bytes of the heads that are being sent.
    pub(crate) fn sending(&self) -> u64 {
        0
    }
}

impl WasiHttpHooks for OutboundHooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Transmitted,
    ) -> Sending<Result<(Response<WasiBody>, Transmitted), Error>> {
        if !std::mem::replace(&mut self.told, true) {
            let line = "outbound calls refused: this program was built without them";
            self.sink.refused(line.to_owned(), None);
        }
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
