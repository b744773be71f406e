//! The compiler's side: a process that compiles one component and ends.

use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::thread;

use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, nice, setrlimit};
use wasmtime::Engine;

use super::exchange::{Heading, Order};
use super::one_line;
use crate::engine::{self, fingerprint};
use crate::generation::Generation;

/// How much the compiler gives way to processes that serve (nice(1)).
const NICENESS: i32 = 5;

/// What an allocator may reserve beyond what it uses, in bytes.
const RESERVED: u64 = 1 << 30;

/// Compiles the component on standard input to standard output, for the [`Sandbox`](crate::Sandbox) whose
/// [`CompilerProcess`](super::CompilerProcess) this process is, and holds itself to the bounds that it is told. A program
/// that calls it is shown there.
pub fn run_compiler() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever asked is gone, or is no sandbox.
        Err(_) => ExitCode::FAILURE,
    }
}

fn compile() -> io::Result<()> {
    let (wasm, generation) = {
        let mut input = io::stdin().lock();
        let mut order = [0; Order::LENGTH];
        input.read_exact(&mut order)?;
        let order = Order::from_bytes(&order);
        restrain(&order);
        let length = usize::try_from(order.length).map_err(io::Error::other)?;
        let mut wasm = Vec::new();
        wasm.try_reserve_exact(length).map_err(io::Error::other)?;
        input.take(order.length).read_to_end(&mut wasm)?;
        if wasm.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (wasm, order.generation)
    };
    thread::Builder::new()
        .name("lifeline".into())
        .spawn(end_with_parent)?;
    let (heading, answer) = match precompile(&wasm, generation) {
        Ok((fingerprint, compiled)) => (Heading::Compiled(fingerprint), compiled),
        Err(error) => (Heading::Refused, one_line(&error).into_bytes()),
    };
    let mut output = io::stdout().lock();
    output.write_all(&heading.to_bytes())?;
    output.write_all(&answer)?;
    output.flush()
}

fn precompile(wasm: &[u8], generation: Generation) -> wasmtime::Result<(u64, Vec<u8>)> {
    let engine = Engine::new(&engine::base(generation))?;
    Ok((fingerprint(&engine), engine.precompile_component(wasm)?))
}

/// The parent keeps an eye on this process. Should it not be able to, the system does. What cannot be set leaves the
/// other bounds in force.
fn restrain(order: &Order) {
    let at_most = |limit| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    let _ = setrlimit(Resource::Core, at_most(0));
    let _ = setrlimit(Resource::Cpu, at_most(order.cpu));
    let _ = setrlimit(
        Resource::Data,
        at_most(order.memory.saturating_add(RESERVED)),
    );
    let _ = nice(NICENESS);
    // Where the system is short of memory, it should take this process and not the one that serves.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
}

/// Waits until the other end of standard input is closed, as it is when the parent ends, however it does.
fn end_with_parent() {
    let _ = io::stdin().lock().read(&mut [0]);
    let _ = kill_process(getpid(), Signal::KILL);
}
