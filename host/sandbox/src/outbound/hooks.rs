//! What `wasi:http/outgoing-handler` asks of the host, for one execution.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use super::client::OutboundClient;
use super::failure::OutboundError;
use super::policy::Refusal;
use super::sent_head::SentHead;
use super::upload::{Upload, Uploads};
use crate::field_size::field_bytes;
use crate::line::Remedy;
use crate::pipe::MOST_WRITTEN;

/// Names the trace that a request belongs to (W3C Trace Context, section 3.2).
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Refusals of one execution that are told. A guest may try for ever.
const MOST_LINES: usize = 20;

static FORBIDDEN: LazyLock<ForbiddenHeaderFilter> =
    LazyLock::new(|| Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name)));

/// Takes what is said of calls that were refused, one line each, without path, query or headers, and the setting that would
/// allow such a call.
pub(crate) trait RefusalSink: Send + Sync {
    /// Called at most 21 times for one execution.
    fn refused(&self, line: String, remedy: Option<Remedy>);

    /// Called at the first call of an execution.
    fn calls_out(&self);

    /// Whether the instance is about to end, or has ended, so that what it has not finished will not be.
    fn has_ended(&self) -> bool;
}

type Sending<T> = Box<dyn Future<Output = T> + Send>;
type Transmitted = Sending<Result<(), Error>>;

/// Sends the requests of one execution through the client of its function.
pub(crate) struct OutboundHooks {
    client: Arc<OutboundClient>,
    max_concurrent: usize,
    sink: Arc<dyn RefusalSink>,
    traceparent: Option<HeaderValue>,
    /// Made at the first call; most executions make none.
    calls: Option<Calls>,
    /// Whether the body of the next call is a stream of WASI 0.3.
    sends_stream: bool,
}

/// The calls of one execution.
#[derive(Clone)]
struct Calls {
    free: Arc<Semaphore>,
    told: Arc<AtomicUsize>,
    /// Bytes of the heads that are being sent.
    heads: Arc<AtomicU64>,
    /// Bytes of trailers that were received and have not been charged yet.
    trailers: Arc<AtomicU64>,
    uploads: Arc<Uploads>,
    sink: Arc<dyn RefusalSink>,
}

impl OutboundHooks {
    /// At most `max_concurrent` calls are under way at once; a call is until its response body has been read or
    /// dropped.
    pub(crate) fn new(
        client: Arc<OutboundClient>,
        max_concurrent: usize,
        sink: Arc<dyn RefusalSink>,
        traceparent: Option<HeaderValue>,
    ) -> Self {
        Self {
            client,
            max_concurrent,
            sink,
            traceparent,
            calls: None,
            sends_stream: false,
        }
    }

    /// Says that the next call is one of WASI 0.3.
    pub(crate) fn expect_stream(&mut self) {
        self.sends_stream = true;
    }

    /// Bytes of the trailers that were received since the last call.
    pub(crate) fn take_received_trailers(&mut self) -> u64 {
        let calls = self.calls.as_ref();
        calls.map_or(0, |calls| calls.trailers.swap(0, Ordering::Relaxed))
    }

    /// Ready when no body is under way to the outside any more.
    pub(crate) fn poll_uploaded(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.calls {
            Some(calls) => calls.uploads.poll_all_ended(cx),
            None => Poll::Ready(()),
        }
    }

    /// Bytes of the heads that are being sent.
    pub(crate) fn sending(&self) -> u64 {
        let calls = self.calls.as_ref();
        calls.map_or(0, |calls| calls.heads.load(Ordering::Relaxed))
    }

    fn calls(&mut self) -> Calls {
        let calls = self.calls.get_or_insert_with(|| {
            self.sink.calls_out();
            Calls {
                free: Arc::new(Semaphore::new(
                    self.max_concurrent.min(Semaphore::MAX_PERMITS),
                )),
                told: Arc::default(),
                heads: Arc::default(),
                trailers: Arc::default(),
                uploads: Arc::default(),
                sink: Arc::clone(&self.sink),
            }
        });
        calls.clone()
    }

    fn call(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> impl Future<Output = Result<Response<WasiBody>, Error>> + Send + use<> {
        let calls = self.calls();
        if let Some(traceparent) = &self.traceparent {
            let field = request.headers_mut().entry(TRACEPARENT);
            field.or_insert_with(|| traceparent.clone());
        }
        let head = SentHead::new(&calls.heads, request.headers(), request.uri());
        let client = Arc::clone(&self.client);
        let max_concurrent = self.max_concurrent;
        // Taken now and not when the future is first polled: the order of the guest's calls is the order of permits.
        let permit = Arc::clone(&calls.free).try_acquire_owned();
        let is_stream = std::mem::take(&mut self.sends_stream);
        let request = request.map(|body| match is_stream {
            true => Upload::new(body, Arc::clone(&calls.sink), &calls.uploads).boxed_unsync(),
            false => body,
        });
        async move {
            let _head = head;
            let response = async {
                let destination = client.check(&request)?;
                let permit =
                    permit.map_err(|_| Refusal::TooMany(destination.clone(), max_concurrent))?;
                client.send(&destination, request, options, permit).await
            };
            let response = response.await.map_err(|error| calls.tell(error))?;
            Ok(response.map(|body| calls.note_trailers(body)))
        }
    }
}

impl Calls {
    /// Notes the trailers of a response when they come. They stay with the guest.
    fn note_trailers(self, body: WasiBody) -> WasiBody {
        body.map_frame(move |frame| {
            if let Some(trailers) = frame.trailers_ref() {
                let bytes = field_bytes(trailers);
                self.trailers.fetch_add(bytes, Ordering::Relaxed);
            }
            frame
        })
        .boxed_unsync()
    }

    fn tell(&self, error: OutboundError) -> Error {
        if !matches!(error, OutboundError::Failed(_)) {
            match self.told.fetch_add(1, Ordering::Relaxed) {
                told if told < MOST_LINES => {
                    self.sink.refused(error.to_string(), error.remedy());
                }
                MOST_LINES => {
                    let line = "further outbound calls refused; not listed".to_owned();
                    self.sink.refused(line, None);
                }
                _ => {}
            }
        }
        match error {
            OutboundError::Failed(error) | OutboundError::Tls(_, _, error) => error,
            OutboundError::Refused(refusal) => refusal.into(),
        }
    }
}

impl WasiHttpHooks for OutboundHooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::clone(&FORBIDDEN)
    }

    // The client does it, from the host that was checked.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        MOST_WRITTEN
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Transmitted,
    ) -> Sending<Result<(Response<WasiBody>, Transmitted), Error>> {
        let call = self.call(request, options);
        Box::new(async {
            let response = call.await?;
            Ok((response, Box::new(async { Ok(()) }) as Transmitted))
        })
    }
}
