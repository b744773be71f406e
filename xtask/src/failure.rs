use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// Why a chore could not be done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// This program was not started by cargo, or lies where cargo does not put it.
    NotUnderCargo,
    /// A program could not be started.
    NotStarted { command: String, error: io::Error },
    /// A program ended badly, having said this much on stderr where it was heard.
    Failed {
        command: String,
        status: ExitStatus,
        said: String,
    },
    /// A program took longer than it may, and was ended.
    TooSlow { command: String, bound: Duration },
    /// A file could not be read or written.
    File { path: PathBuf, error: io::Error },
    /// It was not said how long to fuzz.
    NoDuration,
    /// The wasm target could not be had: what was tried, and what came of it.
    NoWasmTarget(Vec<(&'static str, Failure)>),
}

impl Failure {
    pub(crate) fn not_started(command: &Command) -> impl FnOnce(io::Error) -> Self {
        let command = shown(command);
        move |error| Self::NotStarted { command, error }
    }

    pub(crate) fn failed(command: &Command, status: ExitStatus, said: &str) -> Self {
        Self::Failed {
            command: shown(command),
            status,
            said: said.trim().to_owned(),
        }
    }

    pub(crate) fn too_slow(command: &Command, bound: Duration) -> Self {
        Self::TooSlow {
            command: shown(command),
            bound,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}

/// The program's name and its first arguments, enough to know it by.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_stem()
        .unwrap_or_default();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    let mut words = vec![program.to_string_lossy()];
    words.extend(
        arguments
            .filter(|argument| !argument.starts_with('-'))
            .take(3),
    );
    words.join(" ")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnderCargo => f.write_str("started outside cargo: run it as `cargo xtask`"),
            Self::NotStarted { command, error } => {
                write!(f, "`{command}` could not be started: {error}")
            }
            Self::Failed {
                command,
                status,
                said,
            } if said.is_empty() => write!(f, "`{command}` failed: {status}"),
            Self::Failed {
                command,
                status,
                said,
            } => write!(f, "`{command}` failed: {status}: {said}"),
            Self::TooSlow { command, bound } => {
                write!(
                    f,
                    "`{command}` was not done after {} seconds and was ended",
                    bound.as_secs()
                )
            }
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NoDuration => f.write_str("say how many seconds: `cargo xtask fuzz 60`"),
            Self::NoWasmTarget(tried) => {
                f.write_str("the wasm32-wasip2 target is not installed and could not be had.")?;
                for (what, failure) in tried {
                    write!(f, "\n  tried {what}: {failure}")?;
                }
                f.write_str("\nInstall it (`rustup target add wasm32-wasip2`), and run the same command again.")
            }
        }
    }
}
