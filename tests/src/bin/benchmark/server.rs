//! The servers that are measured.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::AUDIENCE;

use super::plain;
use super::settings::Settings;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Host,
    Hyper,
    Wasmtime,
    /// Each instance answers a thousand requests.
    HostWarm,
    /// Each instance answers 128 requests.
    WasmtimeWarm,
    HostSpinning,
    HostPrivate,
    /// Keeps its log on disk, and prints it to nobody.
    HostKeeping,
    /// Captures its log, and nothing becomes of it.
    HostForgetting,
}

impl Kind {
    /// Those that the load is compared on.
    pub(crate) const ALL: [Self; 3] = [Self::Host, Self::Hyper, Self::Wasmtime];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Host | Self::HostSpinning | Self::HostPrivate => "host",
            Self::HostKeeping => "log on disk",
            Self::HostForgetting => "log to nothing",
            Self::Hyper => "plain hyper",
            Self::Wasmtime => "wasmtime serve",
            Self::HostWarm => "host, warm",
            Self::WasmtimeWarm => "wasmtime, 128",
        }
    }

    /// What is asked of it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::HostSpinning => "/?ms=20",
            _ => "/",
        }
    }

    /// How it answers one who has no token.
    fn first_line(self) -> &'static [u8] {
        match self {
            Self::HostPrivate => b"HTTP/1.1 401",
            _ => b"HTTP/1.1 200",
        }
    }

    fn command(self, settings: &Settings, addr: SocketAddr) -> Result<Command, String> {
        let addr = addr.to_string();
        let mut command = match self {
            Self::Host
            | Self::HostWarm
            | Self::HostSpinning
            | Self::HostPrivate
            | Self::HostKeeping
            | Self::HostForgetting => {
                let component = match self {
                    Self::HostSpinning => &settings.spins,
                    _ => &settings.component,
                };
                let mut command = Command::new(&settings.host);
                command.arg("serve").arg(component);
                command.args([
                    "--addr",
                    &addr,
                    "--admin-addr",
                    "127.0.0.1:0",
                    "--state-dir",
                ]);
                command.arg(state());
                match self {
                    Self::HostForgetting => command.arg("--no-keep-logs"),
                    Self::HostWarm => command.arg("--warm"),
                    _ => &mut command,
                };
                if let (Self::HostPrivate, Some(issuer), Some(invoker)) =
                    (self, &settings.issuer, &settings.invoker)
                {
                    command.args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"]);
                    command.args(["--issuer", issuer, "--invoker", invoker]);
                    command.args(["--audience", AUDIENCE]);
                }
                command
            }
            Self::Wasmtime | Self::WasmtimeWarm => {
                let mut command = Command::new(&settings.wasmtime);
                command
                    .args(["serve", "-S", "cli", "--addr", &addr])
                    .arg(precompiled(settings)?);
                command.arg("--allow-precompiled");
                if self == Self::WasmtimeWarm {
                    command.args(["--max-instance-reuse-count", "128"]);
                }
                command
            }
            Self::Hyper => {
                let mut command =
                    Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
                command.args([plain::COMMAND, &addr]);
                command
            }
        };
        // The log of each goes to a file, as an operator's would.
        let log = |name: &str| File::create(scratch().join(name)).map_err(|e| e.to_string());
        fs::create_dir_all(scratch()).map_err(|error| error.to_string())?;
        let stdout = match self {
            Self::HostKeeping | Self::HostForgetting => Stdio::null(),
            _ => log("stdout")?.into(),
        };
        command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log("stderr")?);
        Ok(command)
    }
}

/// A running server, ended when dropped.
pub(crate) struct Server {
    process: Child,
    kind: Kind,
    addr: SocketAddr,
    started: Instant,
}

impl Server {
    /// Starts it. It may not answer yet.
    pub(crate) fn start(kind: Kind, settings: &Settings) -> Result<Self, String> {
        let addr = free_addr().map_err(|error| error.to_string())?;
        let mut command = kind.command(settings, addr)?;
        let started = Instant::now();
        let process = command.spawn().map_err(|error| {
            format!(
                "cannot start {}: {error} (looked for {:?})",
                kind.name(),
                command.get_program()
            )
        })?;
        Ok(Self {
            process,
            kind,
            addr,
            started,
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until it answers and answers how long that took from its start.
    pub(crate) fn first_answer(&self) -> Result<Duration, String> {
        while self.started.elapsed() < Duration::from_secs(30) {
            if ask(self.addr, self.kind.path())
                .is_ok_and(|answer| answer.starts_with(self.kind.first_line()))
            {
                return Ok(self.started.elapsed());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Err(format!(
            "the server at {} did not answer within 30 s",
            self.addr
        ))
    }

    pub(crate) fn warm_up(&self) -> Result<(), String> {
        self.first_answer().map(drop)
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, String> {
        let status = self.proc("status")?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
            .map(|kibibytes| kibibytes * 1024)
            .ok_or_else(|| "the system does not tell the server's memory".into())
    }

    /// Processor time used so far, by all threads.
    pub(crate) fn processor_time(&self) -> Result<Duration, String> {
        processor_time(self.process.id())
    }

    /// Processor time used so far by the threads of this name.
    pub(crate) fn thread_time(&self, name: &str) -> Result<Duration, String> {
        let unseen = |error| format!("cannot look at the server's threads: {error}");
        let folder = format!("/proc/{}/task", self.process.id());
        let mut time = Duration::ZERO;
        for thread in fs::read_dir(folder).map_err(unseen)? {
            let thread = thread.map_err(unseen)?.path();
            // A thread may end at any time.
            let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
            if stat.contains(&format!("({name})")) {
                time += used(&stat);
            }
        }
        Ok(time)
    }

    fn proc(&self, file: &str) -> Result<String, String> {
        proc(self.process.id(), file)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which has been noticed elsewhere.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processor time that a process has used so far, by all threads.
pub(crate) fn processor_time(pid: u32) -> Result<Duration, String> {
    proc(pid, "stat").map(|stat| used(&stat))
}

fn proc(pid: u32, file: &str) -> Result<String, String> {
    fs::read_to_string(format!("/proc/{pid}/{file}"))
        .map_err(|error| format!("cannot look at the server: {error}"))
}

/// The processor time in a `stat` (proc_pid_stat(5): fields 14 and 15, in hundredths of a second).
fn used(stat: &str) -> Duration {
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn ask(addr: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let head = "HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2";
    write!(stream, "POST {path} {head}\r\n\r\n{{}}")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

pub(crate) fn free_addr() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// The state of the hosts, one after another.
pub(crate) fn state() -> PathBuf {
    scratch().join("state")
}

pub(crate) fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("host-benchmark-{}", std::process::id()))
}

/// wasmtime gets the component compiled beforehand, as host has it in its cache.
fn precompiled(settings: &Settings) -> Result<PathBuf, String> {
    let path = scratch().join("component.cwasm");
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(scratch()).map_err(|error| error.to_string())?;
    let made = Command::new(&settings.wasmtime)
        .args(["compile", "-W", "component-model", "-o"])
        .arg(&path)
        .arg(&settings.component)
        .status();
    match made {
        Ok(status) if status.success() => Ok(path),
        Ok(status) => Err(format!("wasmtime compile failed: {status}")),
        Err(error) => Err(format!(
            "cannot run {}: {error}",
            settings.wasmtime.display()
        )),
    }
}
