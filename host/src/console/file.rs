//! A file as the body of an answer.

use std::fs::File;
use std::io::Read as _;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How much of it is read at once, in bytes.
const PART: usize = 256 << 10;
/// How many parts wait for a client that is slow.
const PARTS: usize = 2;

/// The content of `file`, until nobody takes it any more. If it cannot be read further, it ends early.
pub(super) fn parts(file: File) -> Receiver<Bytes> {
    let (sender, parts) = mpsc::channel(PARTS);
    tokio::task::spawn_blocking(move || send(file, &sender));
    parts
}

fn send(mut file: File, sender: &Sender<Bytes>) {
    loop {
        let mut part = vec![0; PART];
        match file.read(&mut part) {
            Ok(0) => return,
            Ok(length) => part.truncate(length),
            Err(error) => {
                tracing::error!("an answer of the control plane ends early: {error}");
                return;
            }
        }
        if sender.blocking_send(part.into()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    #[tokio::test]
    async fn a_file_comes_whole_in_parts() {
        let content: Vec<u8> = (0..2 * PART + 1).map(|n| n as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        file.rewind().unwrap();
        let (mut parts, mut read) = (parts(file), Vec::new());
        while let Some(part) = parts.recv().await {
            assert!(part.len() <= PART);
            read.extend_from_slice(&part);
        }
        assert_eq!(read, content);
    }
}
