//! Callers that come at a fixed pace, however long an answer takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many connections share the pace.
const CONNECTIONS: u32 = 4;
/// How many requests are sent at once that are refused.
const BATCH: u32 = 4;

/// The slowest of the fastest 99 % of requests that come `pace` times a second, all with `token`. Each waits from when
/// it was to be sent, so that a server that stalls does not hide the requests behind.
pub(crate) fn p99(
    addr: SocketAddr,
    pace: u32,
    token: &str,
    time: Duration,
) -> Result<Duration, String> {
    let between = Duration::from_secs(1) * CONNECTIONS / pace;
    let request = Arc::new(request(token));
    let callers: Vec<JoinHandle<std::io::Result<Vec<Duration>>>> = (0..CONNECTIONS)
        .map(|number| {
            let request = Arc::clone(&request);
            let begin = Instant::now() + between * number / CONNECTIONS;
            thread::spawn(move || call(addr, &request, begin, between, time))
        })
        .collect();
    let mut waits = Vec::new();
    for caller in callers {
        let called = caller.join().map_err(|_| "a caller panicked")?;
        waits.extend(called.map_err(|error| error.to_string())?);
    }
    waits.sort();
    waits
        .get(waits.len() * 99 / 100)
        .copied()
        .ok_or_else(|| "nobody called".into())
}

fn call(
    addr: SocketAddr,
    request: &str,
    begin: Instant,
    between: Duration,
    time: Duration,
) -> std::io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut waits = Vec::new();
    let mut due = begin;
    while due < begin + time {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(request.as_bytes())?;
        let status = answer(&mut answers)?;
        if status != 200 {
            return Err(std::io::Error::other(format!("status {status}")));
        }
        waits.push(due.elapsed());
        due += between;
    }
    Ok(waits)
}

/// Requests that are refused, beside others.
pub(crate) struct Garbage {
    threads: Vec<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
}

impl Garbage {
    /// `pace` requests a second with `token`, which is no good.
    pub(crate) fn start(addr: SocketAddr, pace: u32, token: &str) -> Result<Self, String> {
        let is_over = Arc::new(AtomicBool::new(false));
        let refused = Arc::new(AtomicU64::new(0));
        let mut threads = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(addr).map_err(|error| error.to_string())?;
            let answers = stream.try_clone().map_err(|error| error.to_string())?;
            let batch = request(token).repeat(BATCH as usize);
            let between = Duration::from_secs(1) * BATCH * CONNECTIONS / pace;
            let over = Arc::clone(&is_over);
            threads.push(thread::spawn(move || send(stream, &batch, between, &over)));
            let (over, refused) = (Arc::clone(&is_over), Arc::clone(&refused));
            threads.push(thread::spawn(move || count(answers, &over, &refused)));
        }
        Ok(Self {
            threads,
            is_over,
            refused,
        })
    }

    /// Ends it, and answers how many were refused.
    pub(crate) fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            // It ends with its connection, in whatever way.
            let _ = thread.join();
        }
        self.refused.load(Ordering::Relaxed)
    }
}

fn send(mut stream: TcpStream, batch: &str, between: Duration, is_over: &AtomicBool) {
    let mut due = Instant::now();
    while !is_over.load(Ordering::Relaxed) && stream.write_all(batch.as_bytes()).is_ok() {
        due += between;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn count(stream: TcpStream, is_over: &AtomicBool, refused: &AtomicU64) {
    let mut answers = BufReader::new(stream);
    while !is_over.load(Ordering::Relaxed) {
        match answer(&mut answers) {
            Ok(401) => drop(refused.fetch_add(1, Ordering::Relaxed)),
            _ => return,
        }
    }
}

fn request(token: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 2\r\n\r\n{{}}"
    )
}

/// Reads an answer to its end.
pub(crate) fn answer(answers: &mut BufReader<TcpStream>) -> std::io::Result<u16> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no status"))?;
    let (mut length, mut is_chunked) = (0, false);
    while line != "\r\n" {
        line.clear();
        if answers.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        is_chunked |= line.starts_with("transfer-encoding: chunked");
    }
    skip(answers, length)?;
    while is_chunked {
        line.clear();
        answers.read_line(&mut line)?;
        let chunk = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        skip(answers, chunk + 2)?;
        is_chunked = chunk > 0;
    }
    Ok(status)
}

fn skip(answers: &mut BufReader<TcpStream>, length: u64) -> std::io::Result<()> {
    std::io::copy(&mut answers.take(length), &mut std::io::sink()).map(drop)
}
