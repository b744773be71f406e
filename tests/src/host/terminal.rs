//! Commands that are run as a person runs them: on a terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{HostBuilder, Output, Process};
use crate::PATIENCE;
use crate::lines::Lines;

impl HostBuilder {
    /// Runs it to its end on a terminal on which `typed` is typed. All that the terminal shows is its output.
    #[track_caller]
    pub fn run_on_terminal(mut self, typed: &str) -> Output {
        let started = terminal().and_then(|(mut ours, its)| {
            self.command
                .stdin(its.try_clone()?)
                .stdout(its.try_clone()?)
                .stderr(its);
            let child = self.command.spawn()?;
            // The terminal ends with the last process that has it open.
            self.command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            ours.write_all(typed.as_bytes())?;
            Ok((ours, child))
        });
        let (ours, child): (File, Child) = match started {
            Ok(started) => started,
            Err(error) => panic!("cannot run {:?} on a terminal: {error}", self.command),
        };
        // What is typed must not be hung up on, so that side stays open.
        let shown = ours.try_clone().expect("it is open");
        let process = Process::new(child, Lines::read(shown), Lines::read(io::empty()));
        match process.wait(PATIENCE) {
            Some(status) => process.output(status.code()),
            None => panic!("the command does not end: {:#?}", process.output(None)),
        }
    }
}

/// A terminal, which is closed when dropped.
pub struct Terminal {
    _ours: File,
    name: String,
}

impl Terminal {
    /// Opens one.
    #[track_caller]
    pub fn open() -> Self {
        match open() {
            Ok((ours, name)) => Self {
                _ours: ours.into(),
                name,
            },
            Err(error) => panic!("cannot open a terminal: {error}"),
        }
    }
}

impl HostBuilder {
    /// Runs it as the leader of a session of its own on `terminal`, as a login does, and from a shell after `setup`.
    #[must_use]
    pub fn in_session_on(self, terminal: &Terminal, setup: &str) -> Self {
        // A leader without a terminal gets the first one that it opens.
        self.in_shell(setup, &format!("<{}", terminal.name))
            .under(&["setsid"])
    }
}

/// A terminal: the side of whoever sits before it, and that of the program.
fn terminal() -> io::Result<(File, File)> {
    let (ours, name) = open()?;
    let its = OpenOptions::new().read(true).write(true).open(name)?;
    Ok((ours.into(), its))
}

/// The side of whoever sits before a terminal, and the name of the other one.
fn open() -> io::Result<(OwnedFd, String)> {
    // A program that another test starts does not hold it open.
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let name = name.into_string().map_err(io::Error::other)?;
    Ok((ours, name))
}
