//! Lets the answers of one round of a worker leave together.
//!
//! A write to a socket wakes whoever waits for it. On the same machine (a proxy, a load generator) the kernel then often
//! runs the reader at once in the worker's place, for a single answer, and back again: two switches of address space an
//! answer. So a write first lets every other connection that is ready have its turn; their answers follow right behind,
//! and the reader finds them all. A connection that is alone loses one trip through an empty run queue.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose writes wait for the end of the round.
pub(super) struct Batched<IO> {
    io: IO,
    /// Whether the write that is under way has waited already.
    has_waited: bool,
}

impl<IO> Batched<IO> {
    pub(super) fn new(io: IO) -> Self {
        Self {
            io,
            has_waited: false,
        }
    }

    /// Does `write`, but not before its second call.
    fn at_end_of_round(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut IO, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if !std::mem::replace(&mut self.has_waited, true) {
            // To the end of the run queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let written = std::task::ready!(write(&mut self.io, cx));
        self.has_waited = false;
        Poll::Ready(written)
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Batched<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Batched<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.at_end_of_round(cx, |io, cx| Pin::new(io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.at_end_of_round(cx, |io, cx| Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use tokio::io::AsyncWriteExt;

    /// Notes what happens, in order.
    #[derive(Clone, Default)]
    struct Story(Arc<Mutex<Vec<&'static str>>>);

    impl Story {
        fn note(&self, event: &'static str) {
            self.0.lock().unwrap().push(event);
        }
    }

    impl AsyncWrite for Story {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.note("written");
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn whoever_is_ready_has_its_turn_before_an_answer_leaves() {
        let story = Story::default();
        let answer = |story: Story| async move {
            story.note("made");
            Batched::new(story).write_all(b"answer").await.unwrap();
        };
        let answers = [(); 3].map(|()| tokio::spawn(answer(story.clone())));
        for answer in answers {
            answer.await.unwrap();
        }
        let story = story.0.lock().unwrap();
        assert_eq!(
            *story,
            ["made", "made", "made", "written", "written", "written"]
        );
    }

    #[tokio::test]
    async fn each_write_waits_once_and_all_arrive_in_order() {
        let (mut client, server) = tokio::io::duplex(8);
        let sent: Vec<u8> = (0..=255).collect();
        let expected = sent.clone();
        let sending = tokio::spawn(async move { Batched::new(server).write_all(&sent).await });
        let mut received = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut client, &mut received)
            .await
            .unwrap();
        sending.await.unwrap().unwrap();
        assert_eq!(received, expected);
    }
}
