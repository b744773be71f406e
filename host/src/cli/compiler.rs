//! Components are compiled by this very program, started once more with a verb that no help names.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::flags::{Flags, HostSection};
use super::progress;
use crate::config::HostSettings;
use host_sandbox::compiler::{Compiler, CompilerProcess};

const VERB: &str = "compile-for-parent";

/// Leads to the program that runs, even if another one has taken its place on the disk.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Has mimalloc give back at once what is freed: a compiler takes much memory for a moment, and then for something else.
const ALLOCATOR: [(&str, &str); 1] = [("MIMALLOC_PURGE_DELAY", "0")];

/// The settings of compiling.
pub(super) struct Compiling;

impl HostSection for Compiling {
    const NAME: &'static str = "Compiling";
}

/// Flags with the bounds of compiling one component.
pub(super) type CompilerArgs = Flags<Compiling>;

impl CompilerArgs {
    /// A compiler with the bounds that the flags give.
    pub(super) fn compiler(&self) -> Compiler {
        let mut host = HostSettings::default();
        self.apply(&mut host);
        compiler(&host)
    }
}

/// The compiler of a host.
pub(super) fn compiler(host: &HostSettings) -> Compiler {
    let mut process = CompilerProcess::new(this_program(), [OsString::from(VERB)]);
    // Its path says nothing about whose it is.
    process.name = Some("host".into());
    if let Some(memory) = host.compile_memory {
        process.memory = memory;
    }
    process.time = host.compile_timeout;
    process.environment = ALLOCATOR
        .map(|(name, value)| (OsString::from(name), OsString::from(value)))
        .to_vec();
    process.progress = Some(progress::show);
    Compiler::Child(process)
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
