//! Runs the tasks that hyper makes of HTTP/2 streams, and ends those whose client has stalled.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::Sleep;

use super::stall::StreamWatch;
use super::streams::{Serving, Streams};

/// Spawns the streams of one connection on the worker's own thread.
#[derive(Clone)]
pub(in crate::serve) struct StreamExecutor {
    stall_timeout: Duration,
    streams: Arc<Streams>,
    next: NextStream,
}

impl StreamExecutor {
    pub(in crate::serve) fn new(
        stall_timeout: Duration,
        streams: Arc<Streams>,
        next: NextStream,
    ) -> Self {
        Self {
            stall_timeout,
            streams,
            next,
        }
    }
}

/// The watch of the stream that has just begun. hyper calls the service with a stream's request, and then has its task
/// executed, one stream after the other.
#[derive(Clone)]
pub(in crate::serve) struct NextStream {
    streams: Arc<Streams>,
    watch: Arc<Mutex<Option<Arc<StreamWatch>>>>,
}

impl NextStream {
    pub(in crate::serve) fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            watch: Arc::default(),
        }
    }

    /// A watch for the stream whose request has come.
    pub(in crate::serve) fn begin(&self) -> Arc<StreamWatch> {
        let watch = Arc::new(StreamWatch::new(Arc::clone(&self.streams)));
        *self.lock() = Some(Arc::clone(&watch));
        watch
    }

    /// The watch of the stream whose task is executed. One without a request has none, and gets one of its own.
    fn take(&self) -> Arc<StreamWatch> {
        let watch = self.lock().take();
        watch.unwrap_or_else(|| Arc::new(StreamWatch::new(Arc::clone(&self.streams))))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<StreamWatch>>> {
        // Nothing under the lock panics, and only the connection's own thread takes it.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(StreamTask {
            stream: Box::pin(stream),
            _serving: Serving::new(Arc::clone(&self.streams)),
            watch: self.next.take(),
            timeout: self.stall_timeout,
            timer: None,
        });
    }
}

struct StreamTask<F> {
    stream: Pin<Box<F>>,
    _serving: Serving,
    watch: Arc<StreamWatch>,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F: Future<Output = ()>> Future for StreamTask<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(stalled_at) = this.watch.stalled_at(this.timeout) else {
            return Poll::Pending;
        };
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(stalled_at.into())));
        if timer.deadline() < stalled_at.into() {
            timer.as_mut().reset(stalled_at.into());
        }
        // Ending the task resets the stream, which gives back its instance.
        timer.as_mut().poll(cx)
    }
}
