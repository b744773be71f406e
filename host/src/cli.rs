//! The command line: one file per noun or verb, arguments in, lines out.
//!
//! Nothing but data goes to stdout. The exit code is 0, 1 (it failed) or 2 (wrong usage).

mod advice;
mod arguments;
mod auth;
mod check;
mod choices;
mod client;
mod compiler;
mod complete;
mod completion;
mod config;
mod confirm;
mod examples;
mod flags;
mod format;
mod functions;
mod gcloud;
mod iam;
mod keyvalue;
mod listing;
mod logging;
mod man;
mod new;
mod outside_issuers;
mod policy;
mod progress;
mod projects;
mod quickstart;
mod scheduler;
mod serve;
mod services;
mod shell_words;
mod short_forms;
mod state;
mod time;
mod trial;
mod yaml;

use std::process::ExitCode;
use std::time::Duration;

use crate::diagnostics::{self, DiagnosticsFormat, LogLevel};
use crate::{signals, stderr};
use advice::advised;
use arguments::Arguments;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use host_sandbox::compiler::run_compiler;

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
    Logging(logging::Logging),
    Keyvalue(keyvalue::KeyValue),
    Iam(iam::Iam),
    Projects(projects::Projects),
    Services(services::Services),
    Auth(auth::Auth),
    Config(config::Config),
    Check(check::Check),
    State(state::StateCommand),
    New(new::New),
    Quickstart(quickstart::Quickstart),
    Completion(completion::Completion),
    #[command(hide = true)]
    Complete(complete::Complete),
    Man(man::Man),
}

/// The whole command line, with all that its help says.
fn command() -> clap::Command {
    examples::add(Cli::command())
}

/// The command that the process was started with. One that is wrong, or asks for help, ends it.
fn parse() -> Command {
    // A quarter of the time to the first answer would go to examples that nobody sees.
    match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(_) => parse_again(),
    }
}

/// As [`parse`], where what was typed is no command as it stands.
fn parse_again() -> Command {
    let root = command();
    let arguments = Arguments::read(std::env::args_os().skip(1), &root);
    let arguments = arguments.without_gcloud_flags().unwrap_or_else(|refusal| {
        stderr::line!("error: {refusal}\n\nFor more information, try '--help'.");
        std::process::exit(WRONG_USAGE)
    });
    let matches = root.clone().try_get_matches_from(arguments.words());
    let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    let parsed = parsed.unwrap_or_else(|error| advised(error, &arguments.path).exit());
    parsed.command
}

/// The exit code of a command line that is not understood.
const WRONG_USAGE: i32 = 2;

/// How long the last lines on stderr may take.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    if compiler::is_asked_for() {
        return run_compiler();
    }
    signals::outlive_large_files();
    let code = run();
    stderr::flush(LAST_LINES);
    code
}

fn run() -> ExitCode {
    let command = parse();
    // How a host says what it says is known once it has read its settings.
    if !matches!(command, Command::Serve(_)) {
        diagnostics::begin(LogLevel::default(), DiagnosticsFormat::default());
    }
    let outcome = match command {
        Command::Serve(serve) => serve.run(),
        Command::Functions(functions) => functions.run(),
        Command::Scheduler(scheduler) => scheduler.run(),
        Command::Logging(logging) => logging.run(),
        Command::Keyvalue(keyvalue) => keyvalue.run(),
        Command::Iam(iam) => iam.run(),
        Command::Projects(projects) => projects.run(),
        Command::Services(services) => services.run(),
        Command::Auth(auth) => auth.run(),
        Command::Config(config) => config.run(),
        Command::Check(check) => check.run(),
        Command::State(state) => state.run(),
        Command::New(new) => new.run(),
        Command::Quickstart(quickstart) => quickstart.run(),
        Command::Completion(completion) => completion.run(),
        Command::Complete(complete) => complete.run(),
        Command::Man(man) => man.run(),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            // It may have failed before its own form was known.
            diagnostics::begin(LogLevel::default(), DiagnosticsFormat::default());
            tracing::error!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// A failure as the user reads it.
type Message = String;
