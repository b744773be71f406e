//! Fresh and warm instances, here and under `wasmtime serve`, of the greeting or of another component.

use std::collections::BTreeMap;
use std::time::Duration;

use super::load;
use super::server::{Kind, Server};
use super::settings::Settings;

const WARM_UP: Duration = Duration::from_secs(1);

const KINDS: [Kind; 5] = [
    Kind::Host,
    Kind::Wasmtime,
    Kind::HostWarm,
    Kind::WasmtimeWarm,
    Kind::Hyper,
];

/// What one server did in one round.
#[derive(Clone, Copy)]
struct Round {
    /// Requests per second.
    rate: f64,
    /// Its processor time per request, in microseconds.
    processor: f64,
    /// In milliseconds.
    p99: f64,
    /// Resident, in MiB.
    memory: f64,
}

type Figure = fn(&Round) -> f64;

/// Measures each in turns, and prints the medians and what they are of each other's.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let mut rounds: BTreeMap<Kind, Vec<Round>> = BTreeMap::new();
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        for kind in KINDS {
            rounds
                .entry(kind)
                .or_default()
                .push(measure(kind, settings)?);
        }
    }
    let median = |kind: Kind, figure: Figure| {
        let mut all: Vec<f64> = rounds[&kind].iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!(
        "{:15} {:>10} {:>15} {:>8} {:>11}",
        "", "requests/s", "CPU µs/request", "p99 ms", "memory MiB"
    );
    for kind in KINDS {
        println!(
            "{:15} {:>10.0} {:>15.1} {:>8.2} {:>11.0}",
            kind.name(),
            median(kind, |round| round.rate),
            median(kind, |round| round.processor),
            median(kind, |round| round.p99),
            median(kind, |round| round.memory),
        );
    }
    println!();
    let figures: [(&str, Figure); 3] = [
        ("requests/s", |round| round.rate),
        ("CPU per request", |round| round.processor),
        ("p99", |round| round.p99),
    ];
    if let Some(bytes) = settings.body {
        let megabytes = |kind| median(kind, |round| round.rate) * bytes as f64 / 1e6;
        for kind in KINDS {
            println!("MB/s each way, {:14} {:>8.0}", kind.name(), megabytes(kind));
        }
    }
    for (ours, theirs) in [
        (Kind::Host, Kind::Wasmtime),
        (Kind::HostWarm, Kind::WasmtimeWarm),
        (Kind::HostWarm, Kind::Hyper),
    ] {
        for (what, figure) in figures {
            let ratio = median(ours, figure) / median(theirs, figure);
            println!(
                "{what:15} of {:14} by {:10} {ratio:>6.2}",
                theirs.name(),
                ours.name()
            );
        }
    }
    Ok(())
}

fn measure(kind: Kind, settings: &Settings) -> Result<Round, String> {
    let server = Server::start(kind, settings)?;
    server.warm_up()?;
    // The first request of each connection is another matter: places and instances are used for the first time.
    let first = Settings {
        duration: WARM_UP,
        ..settings.clone()
    };
    load::run(&first, server.addr(), settings.connections, kind.path())?;
    let before = server.processor_time()?;
    let load = load::run(settings, server.addr(), settings.connections, kind.path())?;
    let used = server.processor_time()? - before;
    Ok(Round {
        rate: load.rate,
        processor: used.as_secs_f64() * 1e6 / load.requests as f64,
        p99: load.p99.as_secs_f64() * 1e3,
        memory: server.memory()? as f64 / f64::from(1 << 20),
    })
}
