//! TLS in front of a server that speaks none.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Certificate;

/// Passes requests on, one a connection, and remembers their heads.
#[derive(Debug)]
pub struct TlsFront {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TlsFront {
    /// Starts one at `localhost` that shows `certificate` and passes on to the server at `behind`. It serves until the
    /// specification's process ends.
    #[track_caller]
    pub fn start(certificate: &Certificate, behind: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let config = Arc::new(certificate.server());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (ours, behind) = (Arc::clone(&heads), behind.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, heads) = (Arc::clone(&config), Arc::clone(&ours));
                let behind = behind.clone();
                // Who breaks off gets no answer.
                thread::spawn(move || pass(stream, config, &behind, &heads));
            }
        });
        Self { port, heads }
    }

    /// The URL of `path` on it.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// The heads of the requests that came, in their order.
    pub fn heads(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.clone()
    }
}

fn pass(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    behind: &str,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(session, stream);
    let mut head = Vec::new();
    let mut some = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&some[..count]),
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    heads
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(text);
    let mut server = TcpStream::connect(behind)?;
    server.write_all(&head)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    stream.write_all(&answer)?;
    stream.conn.send_close_notify();
    stream.flush()
}
