//! All together: a host with everything on beside `wasmtime serve` with nothing of that.

use std::fs::{self, File};
use std::time::Duration;

use super::load::{self, Load};
use super::server::{Kind, Server, scratch};
use super::settings::Settings;
use super::tokens::median;
use super::whole::{DECLARED, Whole};

/// Tokens that callers have, each for many requests.
const TOKENS: usize = 16;
/// Long enough for the jobs to fire in it.
const A_MINUTE: Duration = Duration::from_secs(61);
const SUCCEEDED: &str = "host_job_runs_total{outcome=\"succeeded\"}";

/// Measures and prints.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut runs = 0.0;
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        theirs.push(alone(settings)?);
        let (load, fired) = together(settings)?;
        ours.push(load);
        runs += fired;
        theirs.push(alone(settings)?);
    }
    let rate = |loads: &[Load]| median(loads.iter().map(|load| load.rate).collect());
    let p99 = |loads: &[Load]| {
        let all = loads.iter().map(|load| load.p99.as_secs_f64() * 1e3);
        median(all.collect())
    };
    println!("{:22} {:>10} {:>8}", "", "requests/s", "p99 ms");
    for (name, loads) in [("host, everything on", &ours), ("wasmtime serve", &theirs)] {
        println!("{name:22} {:>10.0} {:>8.2}", rate(loads), p99(loads));
    }
    println!("\n{runs:.0} runs of jobs succeeded meanwhile");
    println!(
        "requests/s of wasmtime serve     {:>6.2}  (wanted >= 4.00)",
        rate(&ours) / rate(&theirs)
    );
    println!(
        "p99 of wasmtime serve            {:>6.2}  (wanted <= 0.50)",
        p99(&ours) / p99(&theirs)
    );
    Ok(())
}

fn alone(settings: &Settings) -> Result<Load, String> {
    let server = Server::start(Kind::Wasmtime, settings)?;
    server.warm_up()?;
    load::run(settings, server.addr(), settings.connections, "/")
}

/// The load, and how many runs of jobs succeeded beside it.
fn together(settings: &Settings) -> Result<(Load, f64), String> {
    let settings = &Settings {
        duration: settings.duration.max(A_MINUTE),
        ..settings.clone()
    };
    let _ = fs::remove_dir_all(scratch().join("whole"));
    fs::create_dir_all(scratch()).map_err(|error| error.to_string())?;
    let stdout = File::create(scratch().join("stdout")).map_err(|error| error.to_string())?;
    let host = Whole::start(settings, stdout.into())?;
    let tokens: Vec<String> = (0..TOKENS)
        .map(|_| host.token(DECLARED))
        .collect::<Result<_, _>>()?;
    let file = scratch().join("tokens");
    fs::write(&file, tokens.join("\n")).map_err(|error| error.to_string())?;
    let before = host.metric(SUCCEEDED)?;
    let path = format!("/{DECLARED}");
    let connections = settings.connections;
    let load = load::run_with_tokens(settings, host.addr(), connections, &path, Some(&file))?;
    Ok((load, host.metric(SUCCEEDED)? - before))
}
