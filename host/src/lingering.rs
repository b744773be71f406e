//! Closing a connection so that what was said on it last arrives.
//!
//! A socket that is closed while its client still sends answers with a reset, and that takes back what the client has
//! not read yet (RFC 9112, section 9.6). So the connection is closed in one direction first, and what the client still
//! sends is read, to nobody, until it has noticed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// How long a client may go on sending, and how long it may pause.
const LONGEST: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How much it may send, in bytes. A client that looks for its answer only when it has sent everything gets it if its
/// upload is no larger.
const MOST: u64 = 256 * 1024 * 1024;

/// What is read at once, in bytes.
const PIECE: usize = 16 * 1024;

/// Says that nothing more comes, and lets the client finish, within bounds.
pub(crate) async fn close(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if io.shutdown().await.is_ok() {
        let _ = timeout(LONGEST, read_to_nobody(io)).await;
    }
}

/// Reads until the client goes, or has used up what it may.
async fn read_to_nobody(io: &mut (impl AsyncRead + Unpin)) {
    let mut piece = vec![0; PIECE];
    let mut left = MOST;
    while left > 0 {
        match timeout(LONGEST_PAUSE, io.read(&mut piece)).await {
            Ok(Ok(count)) if count > 0 => left = left.saturating_sub(count as u64),
            _ => return,
        }
    }
}

/// A connection that its server does not close, but hands back: it only sends what it holds when it is done.
pub(crate) struct KeptOpen<IO>(IO);

impl<IO> KeptOpen<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self(io)
    }

    pub(crate) fn into_inner(self) -> IO {
        self.0
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for KeptOpen<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for KeptOpen<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_client_gets_what_was_said_and_may_finish_sending() {
        let (mut client, mut server) = duplex(16);
        let serving = tokio::spawn(async move {
            server.write_all(b"an answer").await.unwrap();
            close(&mut server).await;
        });
        client.write_all(&[0; 100_000]).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "an answer");
        drop(client);
        serving.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_pauses_is_left() {
        let (_client, mut server) = duplex(16);
        let before = Instant::now();
        close(&mut server).await;
        assert_eq!(before.elapsed().as_secs(), LONGEST_PAUSE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_a_little_for_ever_is_left() {
        let (mut client, mut server) = duplex(16);
        let sending = tokio::spawn(async move {
            while client.write_all(b"a little").await.is_ok() {
                tokio::time::sleep(LONGEST_PAUSE / 2).await;
            }
        });
        let before = Instant::now();
        close(&mut server).await;
        assert_eq!(before.elapsed().as_secs(), LONGEST.as_secs());
        drop(server);
        sending.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_without_end_is_left() {
        let (mut client, mut server) = duplex(4 * 1024 * 1024);
        let sending = tokio::spawn(async move {
            let piece = vec![0; 4 * 1024 * 1024];
            let mut sent = 0;
            while client.write_all(&piece).await.is_ok() {
                sent += piece.len() as u64;
            }
            sent
        });
        close(&mut server).await;
        drop(server);
        let sent = sending.await.unwrap();
        assert!((MOST..MOST + 16 * 1024 * 1024).contains(&sent), "{sent}");
    }
}
