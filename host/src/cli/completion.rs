//! `host completion`

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Message;
use super::format::print;

/// Print what makes a shell complete the commands of this program
///
/// It completes the names of functions, jobs, service accounts and time zones as well.
///
/// bash: ~/.local/share/bash-completion/completions/host
///
/// zsh: a file `_host` in a directory of $fpath, such as /usr/local/share/zsh/site-functions
///
/// fish: ~/.config/fish/completions/host.fish
#[derive(Args)]
pub(super) struct Completion {
    /// The shell
    shell: Shell,
}

/// A shell that completes what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completion {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        print(match self.shell {
            Shell::Bash => include_str!("completion/host.bash"),
            Shell::Zsh => include_str!("completion/_host"),
            Shell::Fish => include_str!("completion/host.fish"),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
