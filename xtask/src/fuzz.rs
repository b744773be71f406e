//! Fuzzes the reader of tokens, from the seeds in the repository and what earlier runs found.

use std::ffi::OsString;
use std::fs;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// The longest input, in bytes: more than the longest token that is read.
const LONGEST: usize = 12 * 1024;

/// Runs the target `token` for the number of seconds that is named, or ends with the input that it failed on.
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
    let corpus = workspace.target_dir().join("fuzz/token");
    fs::create_dir_all(&corpus).map_err(Failure::file(&corpus))?;
    let mut token = workspace.binary("release", "token");
    token
        .arg(&corpus)
        .arg(workspace.root().join("fuzz/seeds/token"))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        .args(["-print_final_stats=1", "-timeout=5", "-verbosity=0"])
        .arg(format!("-artifact_prefix={}/", corpus.display()));
    process::run(&mut token)
}
