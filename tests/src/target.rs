//! A server for jobs to call, which answers as its path says and remembers what it was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// How, and what for: `POST /path?query`.
    pub line: String,
    /// Its fields, names in lower case.
    pub fields: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
    /// When its head was there.
    pub time: SystemTime,
}

/// An HTTP/1.1 server on a port of its own. It answers 200, and below these paths something else: `/status/N` status N,
/// `/recovers/N` 500 and `/busy/N` 503 to the first N requests, `/again/S` 503 to the first with a `Retry-After` of S seconds, `/rejects` as a collector that takes one record less,
/// `/slow/MS` after MS milliseconds, `/hangs` never, `/redirect?URL` with a redirection to URL, `/claims/ID` as if the
/// execution ID of a host had.
#[derive(Debug)]
pub struct Target {
    addr: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Target {
    /// Starts one on 127.0.0.1. It serves until the specification's process ends.
    #[track_caller]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap_or_else(|error| panic!("cannot listen: {error}"));
        let addr = listener.local_addr().expect("a listener has an address");
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let ours = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let received = Arc::clone(&ours);
                thread::spawn(move || serve(&stream, &received));
            }
        });
        Self { addr, received }
    }

    /// The URL of `path` on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// What came for `path`, in its order.
    pub fn received(&self, path: &str) -> Vec<Received> {
        let is_for = |request: &&Received| {
            let target = request.line.split(' ').nth(1).unwrap_or_default();
            target.split('?').next() == Some(path)
        };
        lock(&self.received)
            .iter()
            .filter(is_for)
            .cloned()
            .collect()
    }
}

/// Answers one request on a connection.
fn serve(stream: &TcpStream, received: &Mutex<Vec<Received>>) {
    let Some(request) = read(stream) else {
        return;
    };
    let target = request
        .line
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let before = {
        let mut all = lock(received);
        let is_same = |other: &&Received| other.line == request.line;
        let before = all.iter().filter(is_same).count();
        all.push(request);
        before
    };
    // Who does not wait for the answer does not get it.
    let _ = { stream }.write_all(answer(&target, before).as_bytes());
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = next()?;
    let mut fields = BTreeMap::new();
    while let Some((name, value)) = next()?.split_once(':') {
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let time = SystemTime::now();
    let length = fields.get("content-length");
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        line: first.rsplit_once(' ')?.0.to_owned(),
        fields,
        body,
        time,
    })
}

fn answer(target: &str, before: usize) -> String {
    let (kind, value) = match target[1..].split_once(['/', '?']) {
        Some((kind, value)) => (kind, value),
        None => (&target[1..], ""),
    };
    let number = value.split('/').next().unwrap_or_default();
    let number = number.parse().unwrap_or(0);
    let status = match kind {
        "status" => number,
        "recovers" if before < number => 500,
        "busy" if before < number => 503,
        "again" if before == 0 => {
            return format!(
                "HTTP/1.1 503 As Told\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"
            );
        }
        "rejects" => {
            // `partial_success { rejected_log_records: 1 }` of OTLP.
            return "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\u{a}\u{2}\u{8}\u{1}".into();
        }
        "claims" => {
            return format!(
                "HTTP/1.1 200 OK\r\nFunction-Execution-Id: {value}\r\nContent-Length: 0\r\n\r\n"
            );
        }
        "redirect" => {
            return format!("HTTP/1.1 302 Found\r\nLocation: {value}\r\nContent-Length: 0\r\n\r\n");
        }
        "hangs" => loop {
            thread::park();
        },
        "slow" => {
            thread::sleep(Duration::from_millis(number as u64));
            200
        }
        _ => 200,
    };
    format!("HTTP/1.1 {status} As Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
