//! The binary as a running process.

mod process;
mod shell;
mod terminal;

use process::Process;
pub use terminal::Terminal;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, kill_process};

use crate::lines::Lines;
use crate::{Directory, PATIENCE, Reply, Wire};
use crate::{compiled, paths};

/// Settings of the machine that runs the specifications, which must not leak into them.
pub(crate) const FOREIGN: [&str; 3] = ["PORT", "HOST_STATE_DIR", "NO_COLOR"];

/// Arguments of `host serve` for listeners on ports that are free, so that tests do not take each other's.
pub const FREE_PORTS: [&str; 2] = ["--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"];

/// A command line that is not run yet.
#[derive(Debug)]
pub struct HostBuilder {
    command: Command,
    state: Directory,
}

/// A serving host, killed when dropped. When a specification fails, what it printed is shown.
#[derive(Debug)]
pub struct Host {
    process: Process,
    addr: SocketAddr,
    admin_addr: SocketAddr,
    state: Directory,
}

/// What a command that has ended said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All that it wrote to stdout.
    pub stdout: String,
    /// All that it wrote to stderr.
    pub stderr: String,
}

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What an orderly stop sends.
    Term,
    /// What Ctrl-C sends.
    Int,
    /// What cannot be caught.
    Kill,
    /// What asks to read the configuration again.
    Hup,
}

impl Output {
    /// What it wrote to stderr, without the line that tells of a component whose compiling takes more than a moment.
    pub fn errors(&self) -> String {
        let lines = self.stderr.lines();
        let lines = lines.filter(|line| !line.starts_with("Compiling "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

impl Host {
    /// `host serve` with the component called `guest` (see [`guest`](crate::guest)) on ports of its own, with a state
    /// directory of its own in which the component is compiled already.
    #[track_caller]
    pub fn serve(guest: &str) -> HostBuilder {
        let mut builder = Self::command(["serve"]).arg(paths::guest(guest));
        let state = builder.state.path().join("state");
        compiled::put(guest, &state);
        builder.command.env("HOST_STATE_DIR", state);
        builder.args(FREE_PORTS)
    }

    /// `host` with these arguments and nothing else. The state directory is one of its own, unless it is told another.
    #[track_caller]
    pub fn command(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> HostBuilder {
        let mut command = Command::new(paths::host_binary());
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.args(arguments);
        let mut builder = Self::from_command(command);
        // In place of the one of whoever runs the specifications.
        let platform = builder.state.path().join("platform");
        builder.command.env("XDG_STATE_HOME", platform);
        builder
    }

    /// A command that becomes a host.
    pub(crate) fn from_command(command: Command) -> HostBuilder {
        HostBuilder {
            command,
            state: Directory::new(),
        }
    }

    /// Where the function answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the control plane answers.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// A directory of this host's own, which holds its state directory, `state`.
    pub fn directory(&self) -> &Directory {
        &self.state
    }

    /// Runs `host` with these arguments, divided by spaces, and the state of this host, which [`serve`](Self::serve)
    /// gave it.
    #[track_caller]
    pub fn run(&self, arguments: &str) -> Output {
        Self::command(arguments.split_whitespace())
            .env("HOST_STATE_DIR", self.state.path().join("state"))
            .run()
    }

    /// Connects to the function's listener.
    #[track_caller]
    pub fn connect(&self) -> Wire {
        Wire::connect(self.addr)
    }

    /// GET on a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.request(&format!("GET {path}"), "")
    }

    /// POST on a connection of its own.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.request(&format!("POST {path}"), body)
    }

    /// A request on a connection of its own. `head` is a method and a target, then a field on each further line; the
    /// version, `Host`, `Content-Length` (unless the body is empty) and `Connection: close` are added.
    #[track_caller]
    pub fn request(&self, head: &str, body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut lines = head.lines();
        let mut text = format!(
            "{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            lines.next().unwrap_or_default(),
            self.addr
        );
        for line in lines {
            text.push_str(line.trim());
            text.push_str("\r\n");
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut wire = self.connect();
        wire.send(text);
        // A request that is refused need not be read to its end.
        let _ = wire.try_send(body);
        wire.read_reply()
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.process.child().id()
    }

    /// Sends a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let signal = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Int => rustix::process::Signal::INT,
            Signal::Kill => rustix::process::Signal::KILL,
            Signal::Hup => rustix::process::Signal::HUP,
        };
        let child = self.process.child();
        if let Err(error) = kill_process(Pid::from_child(&child), signal) {
            panic!("cannot send {signal:?}: {error}");
        }
    }

    /// How the process ends, which it must within `timeout`.
    #[track_caller]
    pub fn wait(&self, timeout: Duration) -> ExitStatus {
        match self.process.wait(timeout) {
            Some(status) => status,
            None => panic!("the host still runs after {timeout:?}"),
        }
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.process.stderr.all().join("\n")
    }

    /// The lines that it has written to stdout so far.
    pub fn log(&self) -> Vec<String> {
        self.process.stdout.all()
    }

    /// Waits for the line `shown` on stdout or on stderr, as `is_shown` compares.
    #[track_caller]
    pub(crate) fn wait_for_output(&self, shown: &str, is_shown: impl Fn(&str) -> bool) {
        let is_on_stderr = self.process.stderr.all().iter().any(|line| is_shown(line));
        if !is_on_stderr && self.process.stdout.find(PATIENCE, is_shown).is_none() {
            panic!("the host does not print `{shown}`");
        }
    }

    /// The first line on stdout that `wanted` takes, as soon as it is there.
    #[track_caller]
    pub fn wait_for_log(&self, wanted: impl FnMut(&str) -> bool) -> String {
        match self.process.stdout.find(PATIENCE, wanted) {
            Some(line) => line,
            None => panic!("no such line in the log:\n{}", self.log().join("\n")),
        }
    }

    /// The first line on stderr that `wanted` takes, as soon as it is there.
    #[track_caller]
    pub fn wait_for_stderr(&self, wanted: impl FnMut(&str) -> bool) -> String {
        match self.process.stderr.find(PATIENCE, wanted) {
            Some(line) => line,
            None => panic!("no such line on stderr:\n{}", self.stderr()),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if thread::panicking() {
            let output = self.process.output(None);
            eprintln!("--- stderr\n{}--- stdout\n{}", output.stderr, output.stdout);
        }
    }
}

impl HostBuilder {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.command.arg(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the process's environment.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Has no component that is compiled already.
    #[must_use]
    pub fn with_nothing_compiled(self) -> Self {
        // There may be none.
        let _ = fs::remove_dir_all(self.state.path().join("state/compiled"));
        self
    }

    /// Starts it, and returns when it answers.
    #[track_caller]
    pub fn start(self) -> Host {
        let (process, state) = self.spawn();
        let addresses = process
            .announced("Function")
            .zip(process.announced("Control plane: "));
        let Some((addr, admin_addr)) = addresses else {
            panic!("the host does not come up: {:#?}", process.output(None));
        };
        Host {
            process,
            addr,
            admin_addr,
            state,
        }
    }

    /// Starts a command that listens nowhere and goes on until it is told to end.
    #[track_caller]
    pub fn start_unannounced(self) -> Host {
        let (process, state) = self.spawn();
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Host {
            process,
            addr: nowhere,
            admin_addr: nowhere,
            state,
        }
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Output {
        let (process, _state) = self.spawn();
        match process.wait(PATIENCE) {
            Some(status) => process.output(status.code()),
            None => panic!("the command does not end: {:#?}", process.output(None)),
        }
    }

    /// Runs it for at most `time`, and then kills it.
    #[track_caller]
    pub fn run_for(self, time: Duration) -> Output {
        let (process, _state) = self.spawn();
        let status = process.wait(time).or_else(|| {
            // It may be ending by itself at this moment.
            let _ = process.child().kill();
            process.wait(PATIENCE)
        });
        match status {
            Some(status) => process.output(status.code()),
            None => panic!("a killed command does not end: {:#?}", process.output(None)),
        }
    }

    #[track_caller]
    fn spawn(mut self) -> (Process, Directory) {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot run {:?}: {error}", self.command),
        };
        let stdout = Lines::read(child.stdout.take().expect("stdout is piped"));
        let stderr = Lines::read(child.stderr.take().expect("stderr is piped"));
        (Process::new(child, stdout, stderr), self.state)
    }
}
