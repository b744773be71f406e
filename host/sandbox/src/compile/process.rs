//! The other side: starts the compiler, feeds it, takes what it makes, and ends it when a bound is met.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use wasmtime::Engine;

use super::exchange::{Heading, Order};
use super::{CompilerProcess, Progress, Sink, Task};
use crate::engine::{fingerprint, generation};
use crate::error::LoadError;
use crate::generation::Generation;
use crate::limits::MIB;

/// How often the bounds are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Memory for each thread of the compiler, in bytes; with less there are fewer threads.
const MEMORY_OF_THREAD: u64 = 256 * MIB;

/// The longest reason that is read, in bytes.
const LONGEST_REASON: usize = 4096;

/// Compiles a component into `sink`, in a process of its own.
///
/// # Errors
/// Why it does not compile, or which bound it met.
pub(super) fn compile(
    process: &CompilerProcess,
    engine: &Engine,
    task: &Task<'_>,
    sink: &mut dyn Sink,
) -> Result<(), LoadError> {
    let begun = Instant::now();
    let mut child = start(process).map_err(|error| broken(&error))?;
    let input = child.0.stdin.take();
    let output = child.0.stdout.take();
    let (Some(input), Some(output)) = (input, output) else {
        return Err(LoadError::Compiler("it has no input or output".into()));
    };
    let mut watch = Watch {
        process,
        generation: generation(engine),
        task,
        child,
        begun,
        told: 0,
    };
    let mut answer = Answer::new(sink);
    let exchanged = watch.exchange(input, output, &mut answer);
    watch.tell_end();
    answer.finish(exchanged?, fingerprint(engine))
}

/// A process that ends with whoever waits for it.
struct Guarded(Child);

/// Seconds of processor time beyond the time that compiling may take.
const CPU_RESERVE: u64 = 10;

impl Drop for Guarded {
    fn drop(&mut self) {
        // There is nothing to be done for one that cannot be ended; it has ended before, as a rule.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(process: &CompilerProcess) -> io::Result<Guarded> {
    let mut command = Command::new(&process.program);
    if let Some(name) = &process.name {
        command.arg0(name);
    }
    let child = command
        .args(&process.arguments)
        .env_clear()
        .envs(
            process
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .env("RAYON_NUM_THREADS", threads(process.memory).to_string())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Keys of the terminal are for its parent, which may finish what it does.
        .process_group(0)
        .spawn()
        .map(Guarded)?;
    if let Some(input) = &child.0.stdin {
        ioctl_fionbio(input, true)?;
    }
    Ok(child)
}

fn threads(memory: u64) -> u64 {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64;
    cores.min(memory / MEMORY_OF_THREAD).max(1)
}

/// A compiler at work.
struct Watch<'a> {
    process: &'a CompilerProcess,
    generation: Generation,
    task: &'a Task<'a>,
    child: Guarded,
    begun: Instant,
    /// The full seconds of which was told.
    told: u64,
}

impl Watch<'_> {
    /// Gives the compiler the component and takes its answer, until it has ended.
    fn exchange(
        &mut self,
        mut input: ChildStdin,
        mut output: ChildStdout,
        answer: &mut Answer<'_>,
    ) -> Result<ExitStatus, LoadError> {
        let order = Order {
            memory: self.process.memory,
            // What is left of a process whose parent was stopped. It must not come before the parent's own bound.
            cpu: self
                .process
                .time
                .as_secs()
                .saturating_mul(threads(self.process.memory))
                .max(1)
                .saturating_add(CPU_RESERVE),
            length: self.task.wasm.len() as u64,
            generation: self.generation,
        };
        // An empty pipe has room for it.
        let mut left = match input.write_all(&order.to_bytes()) {
            Ok(()) => self.task.wasm,
            Err(_) => &[],
        };
        let mut buffer = vec![0; 64 << 10];
        loop {
            self.check()?;
            let (can_write, can_read) = wait(&input, &output, !left.is_empty())?;
            if can_write {
                match input.write(left) {
                    Ok(count) => left = &left[count..],
                    Err(error) if is_for_the_moment(&error) => {}
                    // It has ended early; what it said before comes below.
                    Err(_) => left = &[],
                }
            }
            if can_read {
                match output.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => answer.take(&buffer[..count])?,
                    Err(error) if is_for_the_moment(&error) => {}
                    Err(error) => return Err(broken(&error)),
                }
            }
        }
        // Its standard input is open until it has ended, so that it ends by itself.
        loop {
            if let Some(status) = self.child.0.try_wait().map_err(|error| broken(&error))? {
                return Ok(status);
            }
            self.check()?;
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Refuses to go on beyond a bound.
    fn check(&mut self) -> Result<(), LoadError> {
        if self.task.stop.load(Ordering::Relaxed) {
            return Err(LoadError::Stopped);
        }
        let elapsed = self.begun.elapsed();
        if elapsed > self.process.time {
            return Err(LoadError::CompileTime(self.process.time));
        }
        if memory_of(self.child.0.id()).is_some_and(|memory| memory > self.process.memory) {
            return Err(LoadError::CompileMemory {
                limit: self.process.memory / MIB,
            });
        }
        if elapsed.as_secs() > self.told {
            self.told += 1;
            self.tell(false);
        }
        Ok(())
    }

    fn tell_end(&self) {
        if self.told > 0 {
            self.tell(true);
        }
    }

    fn tell(&self, has_ended: bool) {
        if let Some(tell) = self.process.progress {
            tell(&Progress {
                name: self.task.name,
                bytes: self.task.wasm.len() as u64,
                elapsed: self.begun.elapsed(),
                times: self.told,
                has_ended,
            });
        }
    }
}

/// Waits until there is something to read, or to write if that `is_wanted`, but not for long.
fn wait(
    input: &ChildStdin,
    output: &ChildStdout,
    is_wanted: bool,
) -> Result<(bool, bool), LoadError> {
    let mut both = [
        PollFd::new(output, PollFlags::IN),
        PollFd::new(input, PollFlags::OUT),
    ];
    let polled = if is_wanted {
        &mut both[..]
    } else {
        &mut both[..1]
    };
    let look = Timespec {
        tv_sec: 0,
        tv_nsec: LOOK.subsec_nanos().into(),
    };
    match poll(polled, Some(&look)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(broken(&error.into())),
    }
    let [output, input] = both.map(|polled| !polled.revents().is_empty());
    Ok((is_wanted && input, output))
}

fn is_for_the_moment(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn broken(error: &io::Error) -> LoadError {
    LoadError::Compiler(error.to_string())
}

/// Memory that the process `id` has for itself, in bytes, where the system tells (proc_pid_status(5)).
fn memory_of(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// What a compiler answers, as it comes.
struct Answer<'a> {
    sink: &'a mut dyn Sink,
    heading: Vec<u8>,
    kind: Option<Heading>,
    reason: Vec<u8>,
}

impl<'a> Answer<'a> {
    fn new(sink: &'a mut dyn Sink) -> Self {
        Self {
            sink,
            heading: Vec::new(),
            kind: None,
            reason: Vec::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let missing = Heading::LENGTH - self.heading.len();
        let (heading, bytes) = bytes.split_at(missing.min(bytes.len()));
        self.heading.extend_from_slice(heading);
        if self.kind.is_none()
            && let Ok(heading) = <&[u8; Heading::LENGTH]>::try_from(&self.heading[..])
        {
            self.kind = Some(Heading::from_bytes(heading).ok_or_else(foreign)?);
        }
        match self.kind {
            Some(Heading::Compiled(_)) => self.sink.write(bytes),
            _ => {
                let room = LONGEST_REASON - self.reason.len();
                self.reason
                    .extend_from_slice(&bytes[..room.min(bytes.len())]);
                Ok(())
            }
        }
    }

    /// What came, once the compiler has ended like this. It should have compiled for the engine with `fingerprint`.
    fn finish(self, status: ExitStatus, fingerprint: u64) -> Result<(), LoadError> {
        match self.kind {
            _ if !status.success() => Err(LoadError::Compiler(status.to_string())),
            Some(Heading::Compiled(own)) if own == fingerprint => Ok(()),
            Some(Heading::Refused) => {
                let reason = String::from_utf8_lossy(&self.reason);
                Err(LoadError::Compile(reason.into_owned()))
            }
            Some(Heading::Compiled(_)) | None => Err(foreign()),
        }
    }
}

fn foreign() -> LoadError {
    LoadError::Compiler("it is not of the same build as this program".into())
}
