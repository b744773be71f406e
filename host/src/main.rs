//! The binary `host`: parse, run, exit code.

use std::process::ExitCode;

// Requests are served by small allocations; this allocator keeps them on their thread. Its feature `no_thp` keeps it from
// asking for huge pages, which the system clears whole: milliseconds at the start, and memory that nobody uses.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    host::cli::main()
}
