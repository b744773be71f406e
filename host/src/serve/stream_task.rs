//! Runs the tasks that hyper makes of HTTP/2 streams, and ends those whose client has stalled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::Sleep;

use super::stall::StreamWatch;
use super::streams::{Serving, Streams};

/// Spawns the streams of one connection on the worker's own thread.
#[derive(Clone)]
pub(super) struct StreamExecutor {
    stall_timeout: Duration,
    streams: Arc<Streams>,
}

impl StreamExecutor {
    pub(super) fn new(stall_timeout: Duration, streams: Arc<Streams>) -> Self {
        Self {
            stall_timeout,
            streams,
        }
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
            watch: Arc::new(StreamWatch::new(Arc::clone(&self.streams))),
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
        if this
            .watch
            .within(|| this.stream.as_mut().poll(cx))
            .is_ready()
        {
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
