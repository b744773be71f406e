//! Standard output and standard error of a guest, as WASI sees them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::line::Stream;
use super::lock::lock;
use super::shared::Shared;

/// How much a guest may write in one go. Nothing is ever waited for, so this only bounds one copy.
const WRITE_PERMIT: usize = 64 * 1024;

/// The execution that an instance prints for. A guest keeps its streams from one request to the next.
#[derive(Clone)]
pub(crate) struct PrintsFor(Arc<Mutex<Arc<Shared>>>);

impl PrintsFor {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::new(Mutex::new(Arc::clone(shared))))
    }

    /// The same execution, whatever is bound later.
    fn fixed(&self) -> Self {
        Self::new(&lock(&self.0))
    }

    /// What is printed from now on is of another execution.
    pub(crate) fn bind(&self, shared: &Arc<Shared>) {
        *lock(&self.0) = Arc::clone(shared);
    }

    fn write(&self, stream: Stream, bytes: &[u8]) {
        let execution = lock(&self.0);
        execution.output().write(stream, bytes);
        execution.wake_watcher();
    }
}

/// One of the two streams, as WASI sees it.
pub(crate) struct GuestStream {
    pub(crate) stream: Stream,
    pub(crate) prints_for: PrintsFor,
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.writer())
    }

    // It is opened for one execution. Another one may be bound when it is written to.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(GuestWriter {
            stream: self.stream,
            prints_for: self.prints_for.fixed(),
        })
    }
}

impl GuestStream {
    fn writer(&self) -> GuestWriter {
        GuestWriter {
            stream: self.stream,
            prints_for: self.prints_for.clone(),
        }
    }
}

struct GuestWriter {
    stream: Stream,
    prints_for: PrintsFor,
}

impl OutputStream for GuestWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.prints_for.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    // Never 0: wasmtime-wasi traps a guest whose writes make no progress ten times in a row.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestWriter {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestWriter {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        self.prints_for.write(self.stream, bytes);
        std::task::Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}
