//! A server for functions to call, which counts who comes.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// An HTTP/1.1 server on a port of its own. It answers `here\n`, `/redirect?URL` with a redirection to URL, and
/// `/heavy?BYTES` with a field of so many bytes.
#[derive(Debug)]
pub struct Origin {
    addr: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    heads: Mutex<Vec<String>>,
}

impl Origin {
    /// Starts one on 127.0.0.1. It serves until the specification's process ends.
    #[track_caller]
    pub fn start() -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into())
    }

    /// Starts one on an address of this machine.
    #[track_caller]
    pub fn at(ip: IpAddr) -> Self {
        let listener =
            TcpListener::bind((ip, 0)).unwrap_or_else(|error| panic!("cannot listen: {error}"));
        let addr = listener.local_addr().expect("a listener has an address");
        let seen = Arc::new(Seen::default());
        let ours = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                ours.connections.fetch_add(1, Ordering::SeqCst);
                let seen = Arc::clone(&ours);
                thread::spawn(move || serve(stream, &seen));
            }
        });
        Self { addr, seen }
    }

    /// Where it answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port of [`addr`](Self::addr).
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// How many connections have been made to it.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The request heads that it has read, in their order.
    pub fn heads(&self) -> Vec<String> {
        let heads = self
            .seen
            .heads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        heads.clone()
    }
}

/// Answers each request on one connection; none has a body.
fn serve(mut stream: TcpStream, seen: &Seen) {
    let mut unread = Vec::new();
    let mut some = [0; 4096];
    loop {
        while let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = unread.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head).into_owned();
            let answer = answer(&head);
            let mut heads = seen.heads.lock().unwrap_or_else(PoisonError::into_inner);
            heads.push(head);
            drop(heads);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut some) {
            Ok(count) if count > 0 => unread.extend_from_slice(&some[..count]),
            _ => return,
        }
    }
}

fn answer(head: &str) -> String {
    let target = head.split(' ').nth(1).unwrap_or_default();
    if let Some(bytes) = target.strip_prefix("/heavy?") {
        let weight = "x".repeat(bytes.parse().unwrap_or_default());
        return format!("HTTP/1.1 200 OK\r\nWeight: {weight}\r\nContent-Length: 5\r\n\r\nhere\n");
    }
    match target.strip_prefix("/redirect?") {
        Some(url) => format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"),
        None => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhere\n".to_owned(),
    }
}
