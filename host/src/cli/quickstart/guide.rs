//! Shows a step, and takes it as its reader would: with a command of this same program.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Builder;

use super::super::Message;
use super::super::format::print;
use super::super::shell_words::typed;
use crate::logs::{Query, read};
use crate::signals::{Hangups, Signals};
use crate::stderr;
use crate::store::Store;

/// How long a host may take until it serves, or an answer until it is there.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// Leads through the steps.
pub(super) struct Guide {
    program: PathBuf,
    state: PathBuf,
    /// What a reader has to add to commands so that they use the same state.
    flag: Option<String>,
    asks: bool,
}

/// A host that serves during the walk, ended with it.
pub(super) struct Host(Child);

impl Drop for Host {
    fn drop(&mut self) {
        end(self.0.id());
        let _ = self.0.wait();
    }
}

impl Host {
    /// Has it end with this process if a signal ends that. To the host itself the end of a terminal, SIGHUP, is a reason
    /// to read its configuration again.
    fn end_with_signals(&self) {
        let id = self.0.id();
        // Where that cannot be waited for, the host goes on until it is ended by hand.
        thread::spawn(move || end_with_signals(id));
    }
}

fn end_with_signals(host: u32) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        let (mut signals, mut hangups) = (Signals::listen()?, Hangups::listen()?);
        io::Result::Ok(tokio::select! {
            code = signals.next() => code,
            () = hangups.next() => 128 + Signal::HUP.as_raw(),
        })
    })?;
    end(host);
    std::process::exit(code)
}

/// Asks a process to end. It may have done so by itself.
fn end(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

impl Guide {
    /// Works on the store in `state`, which commands use by themselves or by a flag, and asks before each step unless
    /// `yes`.
    ///
    /// # Errors
    /// If it would have to ask, and there is nobody to answer.
    pub(super) fn new(state: &Path, is_default: bool, yes: bool) -> Result<Self, Message> {
        if !yes && !io::stdin().is_terminal() {
            return Err("there is no terminal to ask on; --yes takes all steps".into());
        }
        let program = std::env::current_exe();
        Ok(Self {
            program: program.map_err(|error| format!("cannot find this program: {error}"))?,
            state: state.to_owned(),
            flag: (!is_default).then(|| state.to_string_lossy().into_owned()),
            asks: !yes,
        })
    }

    /// Tells something.
    pub(super) fn say(&self, text: &str) -> Result<(), Message> {
        print(&format!("{text}\n"))
    }

    /// Tells what comes next, and waits until the reader wants it.
    pub(super) fn step(&self, text: &str) -> Result<(), Message> {
        self.say(&format!("\n{text}"))?;
        if !self.asks {
            return Ok(());
        }
        stderr::ask("Press Enter to go on, or Ctrl-C to stop. ");
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(count) if count > 0 => Ok(()),
            _ => {
                stderr::line!("");
                Err("stopped; what was done so far stays".into())
            }
        }
    }

    /// Shows a command of this program, and runs it.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<(), Message> {
        self.say(&format!("$ {}", self.shown(arguments)))?;
        let status = self.command(arguments).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(
                "that step failed; when it is put right, `host quickstart` goes on from there"
                    .into(),
            ),
            Err(error) => Err(format!("cannot run {}: {error}", self.program.display())),
        }
    }

    /// The host that serves the store: the one that does so already, or one for the time of the walk.
    pub(super) fn host(&self, store: &Store) -> Result<Option<Host>, Message> {
        if store.serves_functions()? {
            return Ok(None);
        }
        self.step(
            "Start a host. It serves whatever is deployed; here, for as long as this walk takes.",
        )?;
        self.say(&format!("$ {}", self.shown(&["serve"])))?;
        let mut child = self
            .command(&["serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", self.program.display()))?;
        let errors = child.stderr.take();
        let mut host = Host(child);
        host.end_with_signals();
        let begun = Instant::now();
        while !is_served_by(store, host.0.id()) {
            if host.0.try_wait().ok().flatten().is_some() || begun.elapsed() > PATIENCE {
                let mut said = String::new();
                if let Some(mut errors) = errors {
                    let _ = errors.read_to_string(&mut said);
                }
                return Err(self.why_not(said.lines().last().unwrap_or("it said nothing")));
            }
            thread::sleep(LOOK);
        }
        // What it says from now on is nobody's; its pipe must not fill up.
        thread::spawn(move || errors.map(|mut errors| io::copy(&mut errors, &mut io::sink())));
        Ok(Some(host))
    }

    /// Why the host does not serve, by what it `said`, and what to do.
    fn why_not(&self, said: &str) -> Message {
        let said = said.strip_prefix("error: ").unwrap_or(said);
        match said.split_once("; choose another address") {
            Some((taken, _)) => format!(
                "the host {taken}; start `{} --addr IP:PORT --admin-addr IP:PORT` with free addresses in another terminal, \
                 and take this walk again",
                self.shown(&["serve"])
            ),
            None => format!("the host does not serve: {said}"),
        }
    }

    /// Shows a request without a token, makes it, and expects this status.
    pub(super) fn request(&self, url: &str, expected: u16) -> Result<(), Message> {
        self.say(&format!(
            "$ curl -s -o /dev/null -w '%{{http_code}}\\n' {url}"
        ))?;
        let status = status(url).map_err(|error| format!("cannot call {url}: {error}"))?;
        self.say(&status.to_string())?;
        match status == expected {
            true => Ok(()),
            false => Err(format!("{url} answered with {status}; expected {expected}")),
        }
    }

    /// Waits until something is so, but not for ever: then it goes on all the same, and the reader sees what is not so.
    pub(super) fn wait(&self, is_so: impl Fn() -> Result<bool, Message>) -> Result<(), Message> {
        let begun = Instant::now();
        while !is_so()? && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Whether the last thing that the log says of `job` is the end of an attempt.
    pub(super) fn has_ended(&self, job: &str) -> Result<bool, Message> {
        let query = Query {
            job: Some(job.to_owned()),
            limit: 1,
            ..Query::default()
        };
        let found = read(&self.state.join("logs"), &query).map_err(|error| error.to_string())?;
        let last = found.entries.first();
        Ok(last.is_some_and(|record| record.message().starts_with("AttemptFinished")))
    }

    /// The command with these arguments, as the reader would type it.
    pub(super) fn shown(&self, arguments: &[&str]) -> String {
        let flag = self.flag.as_deref().map(|state| ["--state-dir", state]);
        let flag = flag.as_ref().map_or(&[][..], |flag| &flag[..]);
        format!("host {}", typed(&[arguments, flag].concat()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("HOST_STATE_DIR", &self.state);
        command
    }
}

/// The status of GET on `url`, which is a plain one of this machine.
fn status(url: &str) -> io::Result<u16> {
    let invalid = || io::Error::other("expected an answer of HTTP/1.1");
    let rest = url.strip_prefix("http://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_once('/').ok_or_else(invalid)?;
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut line = String::new();
    BufReader::new(stream).take(1024).read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    status.ok_or_else(invalid)
}

/// Whether the process `pid` serves, and knows the accounts that there are. It takes the store before it listens.
fn is_served_by(store: &Store, pid: u32) -> bool {
    let host = store.serving_host().ok().flatten();
    host.is_some_and(|host| host.pid == pid)
        && store.is_served()
        && store.is_identity_taken_up().unwrap_or(false)
}
