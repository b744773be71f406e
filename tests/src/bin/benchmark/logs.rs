//! What the log costs: the rate of requests with the log on disk, beside that with a log that goes nowhere, and what the
//! thread which writes it takes of a core; then how fast entries are found in a large one.

use std::fs;
use std::process::Command;

use super::load;
use super::server::{self, Kind, Server};
use super::settings::Settings;
use super::tokens::median;

/// The thread that keeps entries on disk.
const WRITER: &str = "log";

/// Measures and prints.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let (mut ratios, mut shares) = (Vec::new(), Vec::new());
    let (mut kept, mut forgotten) = (Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        let mut order = [Kind::HostKeeping, Kind::HostForgetting];
        if round % 2 == 0 {
            order.reverse();
        }
        let mut rates = [0.0; 2];
        for kind in order {
            let (rate, share) = measure(settings, kind)?;
            match kind {
                Kind::HostKeeping => {
                    rates[0] = rate;
                    shares.push(share);
                }
                _ => rates[1] = rate,
            }
        }
        kept.push(rates[0]);
        forgotten.push(rates[1]);
        ratios.push(rates[0] / rates[1]);
    }
    println!("{:15} {:>10}", "", "requests/s");
    for (kind, rates) in [(Kind::HostKeeping, kept), (Kind::HostForgetting, forgotten)] {
        println!("{:15} {:>10.0}", kind.name(), median(rates));
    }
    println!(
        "\nlog on disk, of log to nothing {:>6.2}  (wanted >= 0.90)",
        median(ratios)
    );
    println!(
        "writer's share of a core       {:>6.2}  (wanted <= 0.50)\n",
        median(shares)
    );
    find(settings)
}

/// The rate, and what the writer took of a core meanwhile. Every entry must have been kept, or the rate is not that of a
/// log which is whole.
fn measure(settings: &Settings, kind: Kind) -> Result<(f64, f64), String> {
    // A log that does not grow from round to round.
    let _ = fs::remove_dir_all(server::state().join("logs"));
    let server = Server::start(kind, settings)?;
    server.warm_up()?;
    let before = server.thread_time(WRITER)?;
    let load = load::run(settings, server.addr(), settings.connections, kind.path())?;
    let used = server.thread_time(WRITER)? - before;
    let left_out = Command::new(&settings.host)
        .args(["functions", "logs", "read", "--severity=warning"])
        .args([
            "--contains=log entries of this function were left out",
            "--state-dir",
        ])
        .arg(server::state())
        .output()
        .map_err(|error| error.to_string())?;
    match left_out.stdout.is_empty() {
        true => Ok((load.rate, used.as_secs_f64() / load.elapsed.as_secs_f64())),
        false => Err(format!(
            "the log is not whole:\n{}",
            String::from_utf8_lossy(&left_out.stdout)
        )),
    }
}

/// Fills a log and reads it, on one thread.
fn find(settings: &Settings) -> Result<(), String> {
    let directory = server::scratch().join("kept");
    let _ = fs::remove_dir_all(&directory);
    eprintln!(
        "{} million entries are written and read back",
        settings.millions
    );
    let ended = Command::new(&settings.kept_logs)
        .arg(&directory)
        .arg(&settings.millions)
        .status();
    let _ = fs::remove_dir_all(&directory);
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("kept_logs failed: {status}")),
        Err(error) => Err(format!(
            "cannot run {}: {error}; `cargo xtask bench` builds it",
            settings.kept_logs.display()
        )),
    }
}
