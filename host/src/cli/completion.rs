//! `host completion`

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::format::print;
use super::{Message, command};

/// Print what makes a shell complete the commands of this program
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

impl Completion {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "host", &mut script);
        print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
