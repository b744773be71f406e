//! The binary `host`: parse, run, exit code.

use std::process::ExitCode;

// Requests are served by small allocations; this allocator keeps them on their thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    host::cli::main()
}
