//! The benchmark: host, plain hyper and `wasmtime serve`, each under the same load, in one run; with `instances`, the
//! same with fresh and with warm instances, of any component; with `tokens`, what it costs to check them; with `functions`, a thousand of them; with `logs`, what it costs to keep entries and to find them;
//! with `jobs`, how late jobs begin that are due at once, and what those cost that are not due; with `together`, everything
//! on at once; with `soak`, that for as long as one likes.
//!
//! Prints figures and the ratios between them. Absolute figures belong to the machine; the ratios are what is claimed.

mod functions;
mod instances;
mod jobs;
mod load;
mod logs;
mod paced;
mod plain;
mod report;
mod server;
mod settings;
mod soak;
mod start;
mod together;
mod tokens;
mod whole;

use std::process::ExitCode;

use report::Figures;
use server::Server;
use settings::Settings;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == plain::COMMAND)
    {
        return plain::serve(arguments.get(1));
    }
    let done = match arguments.split_first() {
        Some((first, rest)) if first == "instances" => {
            Settings::parse(rest).and_then(|settings| instances::run(&settings))
        }
        Some((first, rest)) if first == "tokens" => {
            Settings::parse(rest).and_then(|settings| tokens::run(&settings))
        }
        Some((first, rest)) if first == "functions" => {
            Settings::parse(rest).and_then(|settings| functions::run(&settings))
        }
        Some((first, rest)) if first == "logs" => {
            Settings::parse(rest).and_then(|settings| logs::run(&settings))
        }
        Some((first, rest)) if first == "together" => {
            Settings::parse(rest).and_then(|settings| together::run(&settings))
        }
        Some((first, rest)) if first == "soak" => {
            Settings::parse(rest).and_then(|settings| soak::run(&settings))
        }
        Some((first, rest)) if first == "jobs" => {
            Settings::parse(rest).and_then(|settings| jobs::run(&settings))
        }
        _ => Settings::parse(&arguments).and_then(|settings| run(&settings)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), String> {
    let mut figures = Figures::default();
    // The three take turns, so that what else the machine does hits each alike.
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        for kind in server::Kind::ALL {
            let server = Server::start(kind, settings)?;
            server.warm_up()?;
            let load = load::run(settings, server.addr(), settings.connections, kind.path())?;
            figures.note_load(kind, load, server.memory()?);
        }
        for kind in [server::Kind::Host, server::Kind::Wasmtime] {
            figures.note_start(kind, start::first_answer(kind, settings)?);
        }
    }
    figures.note_cores(cores_in_use(settings)?);
    print!("{}", figures.table());
    Ok(())
}

/// The share of all cores that four connections to a function which computes keep busy, from 0 to 1.
fn cores_in_use(settings: &Settings) -> Result<f64, String> {
    let kind = server::Kind::HostSpinning;
    let server = Server::start(kind, settings)?;
    server.warm_up()?;
    let before = server.processor_time()?;
    let load = load::run(settings, server.addr(), 4, kind.path())?;
    let used = server.processor_time()? - before;
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    Ok(used.as_secs_f64() / (load.elapsed.as_secs_f64() * cores.get() as f64))
}
