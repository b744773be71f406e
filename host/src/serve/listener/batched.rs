//! Lets the answers of one round of a worker leave together.
//!
//! A write to a socket wakes whoever waits for it. On the same machine (a proxy, a load generator) the kernel then often
//! runs the reader at once in the worker's place, for a single answer, and back again: two switches of address space an
//! answer. So a write first lets every other connection that is ready have its turn; their answers follow right behind,
//! and the reader finds them all. A connection that is alone loses one trip through an empty run queue.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is held back at most, in bytes. A larger write is the better part of a round by itself.
const HELD: usize = 16 * 1024;

/// A connection whose small writes are held back until the end of the round.
pub(in crate::serve) struct Batched<IO> {
    io: IO,
    held: Vec<u8>,
    /// Whether what is held has been through a round.
    has_waited: bool,
}

impl<IO> Batched<IO> {
    pub(in crate::serve) fn new(io: IO) -> Self {
        Self {
            io,
            held: Vec::new(),
            has_waited: false,
        }
    }

    /// Takes `bufs` if they are small enough.
    fn hold(&mut self, bufs: &[io::IoSlice<'_>]) -> Option<usize> {
        let length = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if self.held.len() + length > HELD {
            return None;
        }
        for buf in bufs {
            self.held.extend_from_slice(buf);
        }
        Some(length)
    }
}

impl<IO: AsyncWrite + Unpin> Batched<IO> {
    fn poll_write_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.held))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.drain(..count);
        }
        self.has_waited = false;
        Poll::Ready(Ok(()))
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(length) = self.hold(bufs) {
            return Poll::Ready(Ok(length));
        }
        ready!(self.poll_write_held(cx))?;
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.held.is_empty() && !std::mem::replace(&mut self.has_waited, true) {
            // To the end of the run queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.poll_write_held(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_held(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
            let mut io = Batched::new(story);
            io.write_all(b"an").await.unwrap();
            io.write_all(b"swer").await.unwrap();
            io.flush().await.unwrap();
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
    async fn small_and_large_writes_arrive_in_order_whatever_ends_them() {
        let (mut client, server) = tokio::io::duplex(4096);
        let pieces = [1, 100, HELD, 10, 3 * HELD, 5].map(|length| vec![length as u8; length]);
        let expected = pieces.concat();
        let sending = tokio::spawn(async move {
            let mut io = Batched::new(server);
            for piece in pieces {
                io.write_all(&piece).await?;
            }
            io.shutdown().await
        });
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        sending.await.unwrap().unwrap();
        assert!(received == expected);
    }
}
