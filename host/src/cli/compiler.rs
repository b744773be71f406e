//! Components are compiled by this very program, started once more with a verb that no help names.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::progress;
use crate::config::HostTable;
use crate::config::values::{bytes, duration};
use host_sandbox::compiler::{Compiler, CompilerProcess};

const VERB: &str = "compile-for-parent";

/// Leads to the program that runs, even if another one has taken its place on the disk.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Has mimalloc give back at once what is freed: a compiler takes much memory for a moment, and then for something else.
const ALLOCATOR: [(&str, &str); 1] = [("MIMALLOC_PURGE_DELAY", "0")];

/// Bounds of compiling one component.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Compiling")]
pub(super) struct CompilerArgs {
    /// Memory that compiling a component may take [default: half of the machine's, 400Mi to 2Gi]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    compile_memory: Option<u64>,

    /// How long compiling a component may take [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    compile_timeout: Option<Duration>,
}

impl CompilerArgs {
    /// What the command line leaves open is as `host` has it.
    pub(super) fn compiler(&self, host: &HostTable) -> Compiler {
        let mut process = CompilerProcess::new(this_program(), [OsString::from(VERB)]);
        let memory = host.compile_memory.map(|size| size.0);
        if let Some(memory) = self.compile_memory.or(memory) {
            process.memory = memory;
        }
        let time = host.compile_timeout.map(|time| time.0);
        if let Some(time) = self.compile_timeout.or(time) {
            process.time = time;
        }
        process.environment = ALLOCATOR
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .to_vec();
        process.progress = Some(progress::show);
        Compiler::Child(process)
    }
}

/// Whether this process was started to compile.
pub(super) fn is_asked_for() -> bool {
    env::args_os().nth(1).is_some_and(|verb| verb == VERB)
}

fn this_program() -> PathBuf {
    let this = Path::new(THIS_PROGRAM);
    match this.exists() {
        true => this.to_owned(),
        false => env::current_exe().unwrap_or_else(|_| "host".into()),
    }
}
