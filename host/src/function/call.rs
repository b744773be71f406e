//! Calling a function from a program: one request in, one whole answer out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use http_body_util::BodyExt;

use super::component::Function;
use super::outcome::{Ended, Failure, Observer, Usage};
use super::output::Line;

/// A finished call.
#[derive(Debug)]
#[non_exhaustive]
pub struct Done {
    /// The answer, whole.
    pub response: Response<Bytes>,
    /// What the execution printed, in order.
    pub log: Vec<Line>,
    /// What it used.
    pub usage: Usage,
}

/// A call without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the function did not answer: {failure}")]
#[non_exhaustive]
pub struct CallError {
    /// Why.
    pub failure: Failure,
    /// What the execution printed, in order.
    pub log: Vec<Line>,
    /// What it used.
    pub usage: Usage,
}

#[derive(Clone, Default)]
struct Record(Arc<Mutex<(Vec<Line>, Usage)>>);

impl Observer for Record {
    fn waiting(&mut self, lines: Vec<Line>) {
        self.with(|(log, _)| log.extend(lines));
    }

    fn ended(&mut self, ended: Ended) {
        self.with(|(log, usage)| {
            log.extend(ended.lines);
            *usage = ended.usage;
        });
    }
}

impl Record {
    fn with<T>(&self, f: impl FnOnce(&mut (Vec<Line>, Usage)) -> T) -> T {
        // Nothing that can panic runs under this lock.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> (Vec<Line>, Usage) {
        self.with(std::mem::take)
    }
}

pub(super) async fn call<B>(function: &Function, mut request: Request<B>) -> Result<Done, CallError>
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
    let record = Record::default();
    let answer = async {
        let response = function
            .start(
                request,
                scheme,
                None,
                Duration::ZERO,
                Box::new(record.clone()),
            )
            .await?;
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(
            parts,
            body.collect().await?.to_bytes(),
        ))
    };
    let answer = answer.await;
    let (log, usage) = record.take();
    match answer {
        Ok(response) => Ok(Done {
            response,
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
