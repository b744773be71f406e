//! Callers that come at a fixed pace, however long an answer takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many connections share the pace.
const CONNECTIONS: u32 = 4;
/// How many requests are sent at once that are refused.
const BATCH: u32 = 4;

/// How long each of the requests waits that come `pace` times a second, all with `token`: from when it was to be sent, so
/// that a server that stalls does not hide the requests behind.
///
/// They go before every other thread, so that they wait for answers and never for a core.
pub(crate) fn waits(
    addr: SocketAddr,
    pace: u32,
    token: &str,
    time: Duration,
) -> Result<Vec<Duration>, String> {
    let between = Duration::from_secs(1) * CONNECTIONS / pace;
    let request = Arc::new(request(token));
    let callers: Vec<JoinHandle<std::io::Result<Vec<Duration>>>> = (0..CONNECTIONS)
        .map(|number| {
            let request = Arc::clone(&request);
            thread::spawn(move || {
                schedule("--fifo", "1");
                let begin = Instant::now() + between * number / CONNECTIONS;
                call(addr, &request, begin, between, time)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for caller in callers {
        let called = caller.join().map_err(|_| "a caller panicked")?;
        waits.extend(called.map_err(|error| error.to_string())?);
    }
    Ok(waits)
}

/// When this thread gets a core (chrt(1), sched(7)), if the system lets it choose: the other ends of a server's connections
/// are on other machines, most of the time.
fn schedule(policy: &str, priority: &str) {
    let own = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let Some(id) = own.file_name() else {
        return;
    };
    let mut command = Command::new("chrt");
    command.args([policy, "--pid", priority]).arg(id);
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("{command:?} failed: the figures have more of the machine's other work in them");
    }
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
    threads: Vec<JoinHandle<u64>>,
    begun: Instant,
    is_over: Arc<AtomicBool>,
}

impl Garbage {
    /// `pace` requests a second with `tokens` in turn, which are no good. They take no core that somebody else wants.
    pub(crate) fn start(addr: SocketAddr, pace: u32, tokens: &[String]) -> Result<Self, String> {
        let is_over = Arc::new(AtomicBool::new(false));
        let between = Duration::from_secs(1) * BATCH * CONNECTIONS / pace;
        let begun = Instant::now();
        let share = tokens.len().div_ceil(CONNECTIONS as usize).max(1);
        let threads = tokens.chunks(share).zip(0..).map(|(tokens, number)| {
            let stream = TcpStream::connect(addr).map_err(|error| error.to_string())?;
            let batches: Vec<String> = tokens
                .chunks(BATCH as usize)
                .map(|batch| batch.iter().map(|token| request(token)).collect())
                .collect();
            let begin = begun + between * number / CONNECTIONS;
            let is_over = Arc::clone(&is_over);
            Ok(thread::spawn(move || {
                schedule("--idle", "0");
                send(stream, &batches, (begin, between), &is_over)
            }))
        });
        let threads = threads.collect::<Result<_, String>>()?;
        Ok(Self {
            threads,
            begun,
            is_over,
        })
    }

    /// Ends it, and answers how many were refused a second.
    pub(crate) fn stop(self) -> f64 {
        let time = self.begun.elapsed();
        self.is_over.store(true, Ordering::Relaxed);
        let refused = self.threads.into_iter().map(JoinHandle::join);
        let refused: u64 = refused.map(Result::unwrap_or_default).sum();
        refused as f64 / time.as_secs_f64()
    }
}

/// Sends at its pace, and reads the answers that have come whenever it sends: a thread that waited for each would take
/// more of the machine than the host does.
fn send(
    mut stream: TcpStream,
    batches: &[String],
    (begin, between): (Instant, Duration),
    is_over: &AtomicBool,
) -> u64 {
    const REFUSED: &[u8] = b"HTTP/1.1 401 ";
    let mut due = begin;
    let mut answers = Vec::new();
    let mut refused = 0;
    for batch in batches.iter().cycle() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += between;
        if is_over.load(Ordering::Relaxed) || stream.write_all(batch.as_bytes()).is_err() {
            break;
        }
        let mut part = [0; 16 * 1024];
        let _ = stream.set_nonblocking(true);
        while let Ok(length @ 1..) = stream.read(&mut part) {
            answers.extend_from_slice(&part[..length]);
        }
        let _ = stream.set_nonblocking(false);
        let heads = answers.windows(REFUSED.len());
        refused += heads.filter(|window| *window == REFUSED).count() as u64;
        // What may be the beginning of another.
        answers.drain(..answers.len().saturating_sub(REFUSED.len() - 1));
    }
    refused
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
