//! The load: wrk, with one body for all.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::settings::Settings;

/// Prints what is read below in a form that does not change with wrk's.
const SCRIPT: &str = r#"
wrk.method = "POST"
wrk.body = '{"name": "benchmark"}'
wrk.headers["content-type"] = "application/json"
local size = os.getenv("BODY")
if size then
  wrk.body = string.rep("x", tonumber(size))
end
local file = os.getenv("TOKENS")
if file then
  local requests, last = {}, 0
  init = function()
    for token in io.lines(file) do
      wrk.headers["authorization"] = "Bearer " .. token
      requests[#requests + 1] = wrk.format()
    end
  end
  request = function()
    last = last % #requests + 1
    return requests[last]
  end
end
done = function(summary, latency)
  local bad = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(99), bad))
end
"#;

/// What a load came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// The slowest of the fastest 99 %.
    pub(crate) p99: Duration,
    /// How long it went on.
    pub(crate) elapsed: Duration,
}

/// Puts `connections` at once on `addr`.
pub(crate) fn run(
    settings: &Settings,
    addr: SocketAddr,
    connections: usize,
    path: &str,
) -> Result<Load, String> {
    run_with_tokens(settings, addr, connections, path, None)
}

/// Such a load, each request with the next of the tokens that are the lines of a file.
pub(crate) fn run_with_tokens(
    settings: &Settings,
    addr: SocketAddr,
    connections: usize,
    path: &str,
    tokens: Option<&Path>,
) -> Result<Load, String> {
    let begun = Instant::now();
    let wrk = Command::new(&settings.wrk);
    let result = result(wrk, settings, addr, (connections, path, tokens))?;
    let elapsed = begun.elapsed();
    match result {
        [requests, microseconds, p99, 0] => Ok(Load {
            requests,
            rate: rate(requests, microseconds),
            p99: Duration::from_micros(p99),
            elapsed,
        }),
        [.., errors] => Err(format!("{errors} requests to {addr} failed")),
    }
}

/// A crowd that sends these tokens as fast as each is answered, in whatever way; but only when nobody else on the machine
/// has anything to do (sched(7), `SCHED_IDLE`), as if it were on another one. Answers how many requests a second that was.
pub(crate) fn crowd(
    settings: &Settings,
    addr: SocketAddr,
    connections: usize,
    tokens: &Path,
) -> Result<f64, String> {
    let mut wrk = Command::new("chrt");
    wrk.args(["--idle", "0"]).arg(&settings.wrk);
    let [requests, microseconds, ..] =
        result(wrk, settings, addr, (connections, "/", Some(tokens)))?;
    Ok(rate(requests, microseconds))
}

fn rate(requests: u64, microseconds: u64) -> f64 {
    requests as f64 / (microseconds.max(1) as f64 / 1e6)
}

/// Requests, microseconds, the p99 of these, and errors.
fn result(
    mut wrk: Command,
    settings: &Settings,
    addr: SocketAddr,
    (connections, path, tokens): (usize, &str, Option<&Path>),
) -> Result<[u64; 4], String> {
    let script = std::env::temp_dir().join(format!("host-benchmark-{}.lua", std::process::id()));
    fs::write(&script, SCRIPT).map_err(|error| error.to_string())?;
    if let Some(tokens) = tokens {
        wrk.env("TOKENS", tokens);
    }
    if let Some(bytes) = settings.body {
        wrk.env("BODY", bytes.to_string());
    }
    let output = wrk
        .args(["-t1", &format!("-c{connections}")])
        .arg(format!("-d{}s", settings.duration.as_secs()))
        .arg("-s")
        .arg(&script)
        .arg(format!("http://{addr}{path}"))
        .output();
    // Left behind, it does no harm.
    let _ = fs::remove_file(&script);
    let output = output.map_err(|error| {
        format!(
            "cannot run {:?}: {error}; install wrk (Debian: apt-get install wrk) or name it with --wrk",
            wrk.get_program()
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers = text
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "))
        .map(|numbers| numbers.split(' ').filter_map(|number| number.parse().ok()));
    let numbers = numbers
        .map(Iterator::collect::<Vec<u64>>)
        .unwrap_or_default();
    numbers
        .try_into()
        .map_err(|_| format!("wrk printed no result:\n{text}"))
}
