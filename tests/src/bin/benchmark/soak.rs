//! A soak: a host with everything on, at three quarters of its highest rate, while functions are deployed, keys rotated and
//! the configuration read again.

use std::fs;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::paced::answer;
use super::settings::Settings;
use super::tokens::median;
use super::whole::{DECLARED, DEPLOYED, Whole};

/// How long the highest rate is looked for.
const TRIAL: Duration = Duration::from_secs(10);
/// The share of it that is kept up.
const SHARE: f64 = 0.75;
/// What the host may take to come to rest, after which its memory and its files must stay as they are.
const SETTLING: Duration = Duration::from_secs(300);
/// How often it is looked at, and one of the changes made.
const STEP: Duration = Duration::from_secs(10);
const BODY: &str = r#"{"name": "soak"}"#;
/// Failures that are told.
const TOLD: usize = 10;

/// What all callers have in common.
struct Crowd {
    addr: SocketAddr,
    /// The token for each of the functions, with its name.
    tokens: RwLock<[(&'static str, String); 2]>,
    answered: AtomicU64,
    failed: AtomicU64,
    failures: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// The host as it was at a moment.
struct Look {
    at: Duration,
    memory: f64,
    files: usize,
}

/// Runs for the duration of the settings, and prints what it came to.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    // Half an hour of it would fill many a disk twice.
    let host = Whole::start(settings, Stdio::null())?;
    let tokens = [
        (DECLARED, host.token(DECLARED)?),
        (DEPLOYED, host.token(DEPLOYED)?),
    ];
    let highest = Crowd::new(host.addr(), tokens.clone());
    let callers = highest.start(settings.connections, None);
    thread::sleep(TRIAL);
    highest.end(callers);
    let highest = highest.answered() / TRIAL.as_secs_f64();
    let pace = highest * SHARE;
    eprintln!("{highest:.0} requests/s at most; {pace:.0} from now on");

    let crowd = Crowd::new(host.addr(), tokens);
    let callers = crowd.start(settings.connections, Some(pace));
    let begun = Instant::now();
    let mut looks = Vec::new();
    let mut round = 0;
    while begun.elapsed() < settings.duration {
        thread::sleep(STEP);
        round += 1;
        change(&host, settings, &crowd, round)?;
        looks.push(Look {
            at: begun.elapsed(),
            memory: memory(host.pid())?,
            files: files(host.pid())?,
        });
        if round % 6 == 0 {
            let look = &looks[looks.len() - 1];
            eprintln!(
                "{:>5.0} s: {:.0} answered, {} failed, {:.1} MiB, {} files",
                look.at.as_secs_f64(),
                crowd.answered(),
                crowd.failed.load(Ordering::Relaxed),
                look.memory,
                look.files
            );
        }
    }
    crowd.end(callers);
    let rate = crowd.answered() / begun.elapsed().as_secs_f64();
    report(&crowd, &looks, rate / highest);
    Ok(())
}

/// In turns: another revision, another configuration, another key, and tokens that are signed with it.
fn change(host: &Whole, settings: &Settings, crowd: &Crowd, round: usize) -> Result<(), String> {
    match round % 4 {
        0 => host.deploy(round),
        1 => host.reload(settings, round),
        2 => host.run(&["iam", "keys", "rotate"]).map(drop),
        _ => crowd.renew([
            (DECLARED, host.token(DECLARED)?),
            (DEPLOYED, host.token(DEPLOYED)?),
        ]),
    }
}

fn report(crowd: &Crowd, looks: &[Look], share: f64) {
    let failed = crowd.failed.load(Ordering::Relaxed);
    println!(
        "{:.0} requests answered, at {share:.2} of the highest rate; {failed} failed (wanted 0)",
        crowd.answered()
    );
    let failures = crowd.failures.lock();
    for failure in failures.unwrap_or_else(PoisonError::into_inner).iter() {
        println!("  {failure}");
    }
    let settled: Vec<&Look> = looks.iter().filter(|look| look.at > SETTLING).collect();
    // Three minutes each, so that no single moment decides.
    let ends = settled.len().min(18);
    let (first, last) = (&settled[..ends], &settled[settled.len() - ends..]);
    let memory = |looks: &[&Look]| median(looks.iter().map(|look| look.memory).collect());
    let files = |looks: &[&Look]| median(looks.iter().map(|look| look.files as f64).collect());
    println!(
        "memory after five minutes {:.1} MiB, at the end {:.1} MiB: {:+.1} % (wanted 5 at most)",
        memory(first),
        memory(last),
        (memory(last) / memory(first) - 1.0) * 100.0
    );
    println!(
        "open files after five minutes {}, at the end {} (wanted no more)",
        files(first),
        files(last)
    );
}

impl Crowd {
    fn new(addr: SocketAddr, tokens: [(&'static str, String); 2]) -> Arc<Self> {
        Arc::new(Self {
            addr,
            tokens: RwLock::new(tokens),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failures: Mutex::default(),
            is_over: AtomicBool::new(false),
        })
    }

    /// Starts this many callers, who send `pace` requests a second between them, or as many as they can.
    fn start(self: &Arc<Self>, count: usize, pace: Option<f64>) -> Vec<JoinHandle<()>> {
        let between = pace.map(|pace| Duration::from_secs_f64(count as f64 / pace));
        (0..count)
            .map(|number| {
                let crowd = Arc::clone(self);
                thread::spawn(move || crowd.call(number % 2, between))
            })
            .collect()
    }

    fn end(&self, callers: Vec<JoinHandle<()>>) {
        self.is_over.store(true, Ordering::Relaxed);
        for caller in callers {
            // One that panicked has told so on stderr.
            let _ = caller.join();
        }
    }

    fn answered(&self) -> f64 {
        self.answered.load(Ordering::Relaxed) as f64
    }

    fn renew(&self, tokens: [(&'static str, String); 2]) -> Result<(), String> {
        *self.tokens.write().map_err(|_| "a caller panicked")? = tokens;
        Ok(())
    }

    /// Calls one of the functions over connections of its own until it is over.
    fn call(&self, function: usize, between: Option<Duration>) {
        while !self.is_over.load(Ordering::Relaxed) {
            if let Err(error) = self.call_over_one(function, between) {
                self.fail(&error.to_string());
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn call_over_one(&self, function: usize, between: Option<Duration>) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let mut due = Instant::now();
        while !self.is_over.load(Ordering::Relaxed) {
            if let Some(between) = between {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                due += between;
            }
            stream.write_all(self.request(function).as_bytes())?;
            match answer(&mut answers)? {
                200 => drop(self.answered.fetch_add(1, Ordering::Relaxed)),
                status => self.fail(&format!("status {status}")),
            }
        }
        Ok(())
    }

    fn request(&self, function: usize) -> String {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let (name, token) = &tokens[function];
        let length = BODY.len();
        format!(
            "POST /{name} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{BODY}"
        )
    }

    fn fail(&self, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < TOLD {
            failures.push(why.to_owned());
        }
    }
}

/// Resident memory of a process, in mebibytes.
pub(crate) fn memory(pid: u32) -> Result<f64, String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|error| format!("the host is gone: {error}"))?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"));
    kibibytes
        .and_then(|text| text.trim().parse::<f64>().ok())
        .map(|kibibytes| kibibytes / 1024.0)
        .ok_or_else(|| "the system does not tell the host's memory".into())
}

fn files(pid: u32) -> Result<usize, String> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .map(Iterator::count)
        .map_err(|error| format!("the host is gone: {error}"))
}
