//! Calling a function from a program: one request in, one whole answer out.

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::oneshot;

use super::error::{CallError, Failure};
use super::execution::ExecutionBuilder;
use super::line::Line;
use super::observer::{Ended, Observer};
use super::usage::Usage;

/// A finished call: the function has answered, and has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Done {
    /// The answer, whole.
    pub response: Response<Bytes>,
    /// Why the execution failed after it had answered, if it did.
    pub failure: Option<Failure>,
    /// What the execution printed, in order.
    pub log: Vec<Line>,
    /// What it used.
    pub usage: Usage,
}

/// Gathers what there is to say of an execution, and hands it over when that has ended.
struct OutputCollector {
    log: Vec<Line>,
    whole: Option<oneshot::Sender<Ended>>,
}

impl Observer for OutputCollector {
    fn waiting(&mut self, lines: Vec<Line>) {
        self.log.extend(lines);
    }

    fn ended(&mut self, mut ended: Ended) {
        self.log.append(&mut ended.lines);
        ended.lines = std::mem::take(&mut self.log);
        if let Some(whole) = self.whole.take() {
            // Whoever called may be gone.
            let _ = whole.send(ended);
        }
    }
}

/// Makes the call `execution` with `request`.
pub(crate) async fn call<B>(
    execution: ExecutionBuilder<'_>,
    mut request: Request<B>,
) -> Result<Done, CallError>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    if request.uri().authority().is_none() {
        request
            .headers_mut()
            .entry(header::HOST)
            .or_insert(HeaderValue::from_static("localhost"));
    }
    let scheme = request.uri().scheme().cloned().unwrap_or(Scheme::HTTP);
    let (whole, ended) = oneshot::channel();
    let record = OutputCollector {
        log: Vec::new(),
        whole: Some(whole),
    };
    let answer = async {
        let response = execution
            .scheme(scheme)
            .observer(record)
            .start(request)
            .await?;
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(
            parts,
            body.collect().await?.to_bytes(),
        ))
    };
    let answer = answer.await;
    // The observer is told of every end.
    let (failure, log, usage) = match ended.await {
        Ok(ended) => (ended.failure, ended.lines, ended.usage),
        Err(_) => (None, Vec::new(), Usage::default()),
    };
    match answer {
        Ok(response) => Ok(Done {
            response,
            failure,
            log,
            usage,
        }),
        Err(failure) => Err(CallError {
            failure,
            log,
            usage,
        }),
    }
}
