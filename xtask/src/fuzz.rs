//! Fuzzes the readers of tokens, of log filters, of uploads and of requests, from the seeds in the repository and what earlier runs found.

use std::ffi::OsString;
use std::fs;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// The targets, each with its longest input in bytes: more than the longest token or filter that is read, and more than
/// the target of uploads allows for.
const TARGETS: [(&str, usize); 4] = [
    ("token", 12 * 1024),
    ("filter", 24 * 1024),
    ("archive", 9 * 1024),
    ("request", 8 * 1024),
];

/// Runs each target for the number of seconds that is named, or ends with the input that it failed on.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    let seconds: Option<u32> = match arguments {
        [seconds] => seconds.to_str().and_then(|text| text.parse().ok()),
        _ => None,
    };
    let seconds = seconds.ok_or(Failure::NoDuration)?;
    // Apart from what is built to be used, which counts nothing.
    process::run(
        workspace
            .cargo()
            .env(
                "RUSTC_WORKSPACE_WRAPPER",
                workspace.root().join("fuzz/instrument"),
            )
            .args([
                "build",
                "--release",
                "--package",
                "fuzz",
                "--features",
                "libfuzzer",
            ]),
    )?;
    for (target, longest) in TARGETS {
        run_target(workspace, target, longest, seconds)?;
    }
    Ok(())
}

fn run_target(
    workspace: &Workspace,
    target: &str,
    longest: usize,
    seconds: u32,
) -> Result<(), Failure> {
    let corpus = workspace.target_dir().join("fuzz").join(target);
    fs::create_dir_all(&corpus).map_err(Failure::file(&corpus))?;
    let mut fuzzer = workspace.binary("release", target);
    fuzzer
        .arg(&corpus)
        .arg(workspace.root().join("fuzz/seeds").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={longest}"))
        .args(["-print_final_stats=1", "-timeout=5", "-verbosity=0"])
        .arg(format!("-artifact_prefix={}/", corpus.display()));
    process::run(&mut fuzzer)
}
