//! The command line: one file per noun or verb, arguments in, lines out.
//!
//! Nothing but data goes to stdout. The exit code is 0, 1 (it failed) or 2 (wrong usage).

mod auth;
mod check;
mod compiler;
mod completion;
mod config;
mod confirm;
mod examples;
mod format;
mod functions;
mod iam;
mod man;
mod new;
mod outside_issuers;
mod own_issuer;
mod progress;
mod quickstart;
mod scheduler;
mod serve;
mod shell_words;
mod state;
mod trial;

use std::process::ExitCode;

use crate::function::run_compiler;
use crate::stderr;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// Your own private, scheduled cloud functions.
#[derive(Parser)]
#[command(name = "host", version = env!("HOST_VERSION"), about, long_about = None, max_term_width = 100)]
#[command(propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Functions(functions::Functions),
    Scheduler(scheduler::Scheduler),
    Iam(iam::Iam),
    Auth(auth::Auth),
    Config(config::Config),
    Check(check::Check),
    State(state::StateCommand),
    New(new::New),
    Quickstart(quickstart::Quickstart),
    Completion(completion::Completion),
    Man(man::Man),
}

/// The whole command line, with all that its help says.
fn command() -> clap::Command {
    examples::add(Cli::command())
}

/// The command that the process was started with. One that is wrong, or asks for help, ends it.
fn parse() -> Command {
    // A quarter of the time to the first answer would go to examples that nobody sees.
    let parsed = Cli::try_parse().or_else(|_| Cli::from_arg_matches(&command().get_matches()));
    parsed.unwrap_or_else(|error| error.exit()).command
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    if compiler::is_asked_for() {
        return run_compiler();
    }
    let outcome = match parse() {
        Command::Serve(serve) => serve.run(),
        Command::Functions(functions) => functions.run(),
        Command::Scheduler(scheduler) => scheduler.run(),
        Command::Iam(iam) => iam.run(),
        Command::Auth(auth) => auth.run(),
        Command::Config(config) => config.run(),
        Command::Check(check) => check.run(),
        Command::State(state) => state.run(),
        Command::New(new) => new.run(),
        Command::Quickstart(quickstart) => quickstart.run(),
        Command::Completion(completion) => completion.run(),
        Command::Man(man) => man.run(),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            stderr::line!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// A failure as the user reads it.
type Message = String;
