//! How a function calls out where the feature `outbound` is off: every call is refused.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

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

    /// Says that the next call is one of WASI 0.3.
    pub(crate) fn expect_stream(&mut self) {}

    /// Bytes of the trailers that were received since the last call.
    pub(crate) fn take_received_trailers(&mut self) -> u64 {
        0
    }

    /// Ready when no body is under way to the outside any more.
    pub(crate) fn poll_uploaded(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http_body_util::{BodyExt, Empty};

    use super::*;

    impl RefusalSink for Mutex<Vec<String>> {
        fn refused(&self, line: String, _: Option<Remedy>) {
            self.lock().unwrap().push(line);
        }
    }

    #[tokio::test]
    async fn every_call_is_refused_and_the_first_is_told() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let client = Arc::new(OutboundClient);
        let mut hooks = OutboundHooks::new(client, 1, Arc::clone(&told) as _, None);
        for _ in 0..2 {
            let body = Empty::new().map_err(|error| match error {});
            let request = Request::get("http://localhost/").body(body.boxed_unsync());
            let done = Box::new(async { Ok(()) });
            let answer = hooks.send_request(request.unwrap(), None, done);
            let refused = std::pin::Pin::from(answer).await;
            assert!(matches!(refused, Err(Error::HttpRequestDenied)));
        }
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
