//! Looks for files, environment and arguments by WASI 0.3, and for files by the standard library too. It answers what it
//! found, a line each.
#![cfg(target_family = "wasm")]

use std::fmt::Write as _;
use std::fs;

use guests_p3::wasip3::cli::environment;
use guests_p3::wasip3::filesystem::preopens::get_directories;
use guests_p3::wasip3::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use guests_p3::{Answer, Request, answer};

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    let mut report = String::new();
    for (directory, path) in get_directories() {
        let name = "etc/passwd".to_owned();
        let opened = directory.open_at(
            PathFlags::empty(),
            name,
            OpenFlags::empty(),
            DescriptorFlags::READ,
        );
        let _ = writeln!(report, "directory: {path}, {:?}", opened.await);
    }
    for (name, value) in environment::get_environment() {
        let _ = writeln!(report, "variable: {name}={value}");
    }
    for argument in environment::get_arguments() {
        let _ = writeln!(report, "argument: {argument}");
    }
    if let Some(directory) = environment::get_initial_cwd() {
        let _ = writeln!(report, "working directory: {directory}");
    }
    let _ = writeln!(report, "read: {:?}", fs::read("/etc/passwd"));
    let _ = writeln!(report, "list: {:?}", fs::read_dir("/").map(Iterator::count));
    let _ = writeln!(report, "write: {:?}", fs::write("/tmp/guest", "was here"));
    answer(200, &[], report)
}
