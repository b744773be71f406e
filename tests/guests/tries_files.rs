//! Looks for files, environment and arguments, and answers what it found, a line each.
#![cfg(target_family = "wasm")]

use std::fmt::Write as _;
use std::{env, fs};

use guests::wasi::filesystem::preopens::get_directories;
use guests::{IncomingRequest, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(_: IncomingRequest, out: ResponseOutparam) {
    let mut report = String::new();
    for (_, path) in get_directories() {
        let _ = writeln!(report, "directory: {path}");
    }
    for (name, value) in env::vars() {
        let _ = writeln!(report, "variable: {name}={value}");
    }
    for argument in env::args() {
        let _ = writeln!(report, "argument: {argument}");
    }
    let _ = writeln!(report, "read: {:?}", fs::read("/etc/passwd"));
    let _ = writeln!(report, "list: {:?}", fs::read_dir("/").map(Iterator::count));
    let _ = writeln!(report, "write: {:?}", fs::write("/tmp/guest", "was here"));
    answer(out, 200, &[], report);
}
