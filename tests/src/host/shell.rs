//! Hosts that are started under conditions which only a shell can set.

use std::process::Command;

use super::HostBuilder;

impl HostBuilder {
    /// Runs it from a POSIX shell after `setup`, such as `ulimit -n 64`, and with `redirection`, such as `>/dev/full`.
    /// Variables that were set stay set.
    #[must_use]
    pub fn in_shell(self, setup: &str, redirection: &str) -> Self {
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("{setup}\nexec \"$0\" \"$@\" {redirection}"))
            .arg(self.command.get_program())
            .args(self.command.get_args());
        self.run_by(shell)
    }

    /// Runs it by another command, which gets its command line behind its own.
    #[must_use]
    pub(crate) fn under(self, command: &[&str]) -> Self {
        let mut outer = Command::new(command[0]);
        outer
            .args(&command[1..])
            .arg(self.command.get_program())
            .args(self.command.get_args());
        self.run_by(outer)
    }

    /// Variables that were set stay set.
    fn run_by(self, mut outer: Command) -> Self {
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => outer.env(name, value),
                None => outer.env_remove(name),
            };
        }
        Self {
            command: outer,
            state: self.state,
        }
    }
}
