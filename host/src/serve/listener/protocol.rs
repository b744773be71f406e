//! Which HTTP a client speaks.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::prefixed::Prefixed;

/// The client connection preface of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// By the name that was agreed on in the TLS handshake (RFC 7301).
    pub(in crate::serve) fn from_alpn(name: Option<&[u8]>) -> Self {
        match name {
            Some(b"h2") => Self::Http2,
            _ => Self::Http1,
        }
    }

    /// By the first bytes, which are given back to whoever reads on.
    pub(in crate::serve) async fn detect<IO: AsyncRead + Unpin>(
        mut io: IO,
    ) -> io::Result<(Self, Prefixed<IO>)> {
        let mut seen = Vec::with_capacity(PREFACE.len());
        while seen.len() < PREFACE.len() && PREFACE.starts_with(&seen) {
            let room = (PREFACE.len() - seen.len()) as u64;
            if (&mut io).take(room).read_buf(&mut seen).await? == 0 {
                break;
            }
        }
        let protocol = if seen == PREFACE {
            Self::Http2
        } else {
            Self::Http1
        };
        Ok((protocol, Prefixed::new(seen, io)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    async fn detect(pieces: &[&[u8]]) -> (Protocol, Vec<u8>) {
        let (mut client, server) = tokio::io::duplex(1);
        let pieces = pieces.concat();
        let sent = tokio::spawn(async move { client.write_all(&pieces).await });
        let (protocol, mut io) = Protocol::detect(server).await.unwrap();
        let mut all = Vec::new();
        io.read_to_end(&mut all).await.unwrap();
        sent.await.unwrap().unwrap();
        (protocol, all)
    }

    #[tokio::test]
    async fn the_preface_means_http2_and_anything_else_http1() {
        for (bytes, protocol) in [
            (PREFACE, Protocol::Http2),
            (b"POST / HTTP/1.1\r\n\r\n", Protocol::Http1),
            (b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n", Protocol::Http1),
            (b"PRI", Protocol::Http1),
            (b"", Protocol::Http1),
        ] {
            let (told, all) =
                detect(&[bytes, b"rest"][..if bytes == PREFACE { 2 } else { 1 }]).await;
            assert_eq!(told, protocol);
            assert!(all.starts_with(bytes), "what was looked at is not lost");
        }
    }
}
