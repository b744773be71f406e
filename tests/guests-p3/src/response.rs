use crate::{ErrorCode, Fields, Response, spawn};
use wasip3::http::types::Trailers;
use wasip3::wit_bindgen::rt::async_support::{FutureReader, FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

/// What a handler returns.
pub type Answer = Result<Response, ErrorCode>;

/// A body that is being written.
#[derive(Debug)]
pub struct Body {
    stream: StreamWriter<u8>,
    trailers: FutureWriter<Result<Option<Trailers>, ErrorCode>>,
    sent: FutureReader<Result<(), ErrorCode>>,
}

impl Body {
    /// Writes all of `bytes` as the host takes them, and says whether it did. It does not when the caller has gone away.
    pub async fn write(&mut self, bytes: impl Into<Vec<u8>>) -> bool {
        self.stream.write_all(bytes.into()).await.is_empty()
    }

    /// Ends the body: whole, with trailers or without, or broken off. What is returned tells, in time, what became of the
    /// response.
    pub async fn finish(
        self,
        end: Result<Option<Trailers>, ErrorCode>,
    ) -> FutureReader<Result<(), ErrorCode>> {
        drop(self.stream);
        // A host that has no use for trailers any more is told nothing.
        let _ = self.trailers.write(end).await;
        self.sent
    }
}

/// A whole response. It is written after the handler has returned.
///
/// # Errors
/// Never: it is what a handler returns.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let (response, mut writer) = start(status, headers);
    let body = body.into();
    spawn(async move {
        writer.write(body).await;
        writer.finish(Ok(None)).await;
    });
    Ok(response)
}

/// The head of a response, and its body to follow. The host takes the body once the handler has returned the head.
///
/// # Panics
/// If the host refuses the status or a header.
pub fn start(status: u16, headers: &[(&str, &str)]) -> (Response, Body) {
    let fields: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    let fields = Fields::from_list(&fields).expect("the host takes the headers");
    let (stream, reader) = wit_stream::new();
    let (trailers, end) = wit_future::new(|| Ok(None));
    let (response, sent) = Response::new(fields, Some(reader), end);
    response
        .set_status_code(status)
        .expect("the host takes the status");
    let body = Body {
        stream,
        trailers,
        sent,
    };
    (response, body)
}

/// The end of a message without trailers.
pub fn no_trailers() -> FutureReader<Result<Option<Trailers>, ErrorCode>> {
    // A writer that is dropped writes the default.
    wit_future::new(|| Ok(None)).1
}
