//! Jobs: how late they begin when a thousand are due in the same second beside a hundred thousand that are not, and what a
//! host takes that has nothing to do.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::server::{free_addr, processor_time, scratch};
use super::settings::Settings;
use super::soak::memory;
use super::tokens::median;
use super::whole::{get, run as command, text};

const DUE: usize = 1_000;
const IDLE: usize = 100_000;
const ACCOUNT: &str = "caller@host.internal";
/// When idle jobs are due: not while this runs, unless it runs on a day that seldom comes.
const SELDOM: &str = "0 0 29 2 *";
/// How long a host is looked at that has nothing to do.
const REST: Duration = Duration::from_secs(30);
/// How long what a minute brings may take.
const A_WHILE: Duration = Duration::from_secs(15);
const READY: Duration = Duration::from_secs(120);
const LATENESS: &str = "host_job_lateness_seconds";

/// A host that has jobs, ended when dropped.
struct JobHost {
    process: Child,
    folder: PathBuf,
    admin: SocketAddr,
}

/// What a host takes while nothing is due.
struct Rest {
    /// In MiB.
    memory: f64,
    /// The share of one core.
    cores: f64,
}

/// Measures and prints.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let without = JobHost::start(settings, "none", 0, 0)?;
    let none = without.rest()?;
    drop(without);
    let host = JobHost::start(settings, "jobs", DUE, IDLE)?;
    let (mut late, mut rests) = (Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        let before = host.lateness()?.len();
        sleep_to_minute();
        thread::sleep(A_WHILE);
        let mut lateness = host.lateness()?.split_off(before);
        if lateness.len() != DUE {
            return Err(format!("{} of {DUE} jobs began", lateness.len()));
        }
        lateness.sort_by(f64::total_cmp);
        late.push([
            lateness[DUE / 2],
            lateness[DUE * 99 / 100],
            lateness[DUE - 1],
        ]);
        rests.push(host.rest()?);
    }
    let at = |index: usize| median(late.iter().map(|late| late[index]).collect());
    println!("{DUE} jobs due in the same second, {IDLE} idle ones beside them:");
    println!(
        "late by {:.3} s (median), {:.3} s (p99), {:.3} s (the last)  (wanted <= 1)",
        at(0),
        at(1),
        at(2)
    );
    println!("as the metrics have it:");
    for line in host
        .metrics()?
        .lines()
        .filter(|line| line.starts_with(LATENESS))
    {
        println!("  {line}");
    }
    let memory = median(rests.iter().map(|rest| rest.memory).collect());
    let cores = median(rests.iter().map(|rest| rest.cores).collect());
    println!("{:24} {:>12} {:>18}", "at rest", "memory MiB", "of a core");
    println!("{:24} {memory:>12.1} {cores:>18.4}", "with these jobs");
    println!(
        "{:24} {:>12.1} {:>18.4}",
        "with none", none.memory, none.cores
    );
    Ok(())
}

impl JobHost {
    /// One with `due` jobs that come every minute, each with a token of its own, and `idle` ones.
    fn start(settings: &Settings, name: &str, due: usize, idle: usize) -> Result<Self, String> {
        let folder = scratch().join(name);
        let state = folder.join("state");
        fs::create_dir_all(&folder).map_err(text)?;
        let (addr, admin) = (free_addr().map_err(text)?, free_addr().map_err(text)?);
        let configuration = configuration(&settings.component, addr, due, idle);
        fs::write(folder.join("host.toml"), configuration).map_err(text)?;
        command(
            &settings.host,
            &state,
            &["iam", "service-accounts", "create", "caller"],
        )?;
        let file = |name: &str| File::create(folder.join(name)).map_err(text);
        let process = Command::new(&settings.host)
            .args(["serve", "--config"])
            .arg(folder.join("host.toml"))
            .args(["--addr", &addr.to_string()])
            .args(["--admin-addr", &admin.to_string()])
            .arg("--state-dir")
            .arg(&state)
            .stdin(Stdio::null())
            .stdout(file("stdout")?)
            .stderr(file("stderr")?)
            .spawn()
            .map_err(text)?;
        let host = Self {
            process,
            folder,
            admin,
        };
        host.wait_until_ready()?;
        Ok(host)
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < READY {
            if get(self.admin, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        let told = fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
        Err(format!("the host did not get ready:\n{told}"))
    }

    fn metrics(&self) -> Result<String, String> {
        get(self.admin, "/metrics").map_err(text)
    }

    /// How late attempts have begun so far, in seconds, as the log tells.
    fn lateness(&self) -> Result<Vec<f64>, String> {
        let log = fs::read_to_string(self.folder.join("stdout")).map_err(text)?;
        Ok(log.lines().filter_map(late).collect())
    }

    /// What it takes while nothing is due, which is looked at well within a minute.
    fn rest(&self) -> Result<Rest, String> {
        if to_minute() < REST + A_WHILE / 2 {
            sleep_to_minute();
            thread::sleep(A_WHILE);
        }
        let pid = self.process.id();
        let before = processor_time(pid)?;
        thread::sleep(REST);
        let used = processor_time(pid)? - before;
        Ok(Rest {
            memory: memory(pid)?,
            cores: used.as_secs_f64() / REST.as_secs_f64(),
        })
    }
}

impl Drop for JobHost {
    fn drop(&mut self) {
        // It may have ended by itself, which has been noticed elsewhere.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `… 2026-11-23 14:00:00.121  AttemptStarted scheduled=2026-11-23T14:00:00Z attempt=1`: 0.121.
fn late(line: &str) -> Option<f64> {
    let (before, after) = line.split_once("AttemptStarted scheduled=")?;
    let begun = before.trim_end().rsplit_once(' ')?.1;
    let scheduled = after.split_once('Z')?.0.split_once('T')?.1;
    let seconds = |time: &str| {
        let parts = time.split(':').map(str::parse::<f64>);
        parts
            .into_iter()
            .try_fold(0.0, |sum, part| Some(sum * 60.0 + part.ok()?))
    };
    // Over midnight it is a day less.
    Some((seconds(begun)? - seconds(scheduled)?).rem_euclid(86_400.0))
}

fn to_minute() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let into = now.unwrap_or_default().as_millis() % 60_000;
    Duration::from_millis(60_000 - into as u64)
}

fn sleep_to_minute() {
    thread::sleep(to_minute());
}

fn configuration(hello: &Path, addr: SocketAddr, due: usize, idle: usize) -> String {
    let mut file = format!(
        "[functions.hello]\nsource = \"{}\"\ninvokers = [\"serviceAccount:{ACCOUNT}\"]\n",
        hello.display()
    );
    let jobs = [("due", "* * * * *", due), ("idle", SELDOM, idle)];
    for (kind, schedule, count) in jobs {
        for job in 0..count {
            // A `String` takes every write.
            let _ = write!(
                file,
                "\n[jobs.{kind}-{job}]\nschedule = \"{schedule}\"\nuri = \"http://{addr}/hello\"\n\
                 oidc-service-account-email = \"{ACCOUNT}\"\nmessage-body = '{{\"name\": \"job\"}}'\n"
            );
        }
    }
    file
}
