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
    let script = std::env::temp_dir().join(format!("host-benchmark-{}.lua", std::process::id()));
    fs::write(&script, SCRIPT).map_err(|error| error.to_string())?;
    let begun = Instant::now();
    let mut wrk = Command::new(&settings.wrk);
    if let Some(tokens) = tokens {
        wrk.env("TOKENS", tokens);
    }
    let output = wrk
        .args(["-t1", &format!("-c{connections}")])
        .arg(format!("-d{}s", settings.duration.as_secs()))
        .arg("-s")
        .arg(&script)
        .arg(format!("http://{addr}{path}"))
        .output();
    let elapsed = begun.elapsed();
    // Left behind, it does no harm.
    let _ = fs::remove_file(&script);
    let output = output.map_err(|error| {
        format!(
            "cannot run {}: {error}; install wrk (Debian: apt-get install wrk) or name it with --wrk",
            settings.wrk.display()
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "))
        .ok_or_else(|| format!("wrk printed no result:\n{text}"))?;
    let numbers: Vec<u64> = result
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers[..] {
        [requests, microseconds, p99, 0] if microseconds > 0 => Ok(Load {
            rate: requests as f64 / (microseconds as f64 / 1e6),
            p99: Duration::from_micros(p99),
            elapsed,
        }),
        [_, _, _, errors] => Err(format!("{errors} requests to {addr} failed")),
        _ => Err(format!("wrk printed what was not understood: {result}")),
    }
}
