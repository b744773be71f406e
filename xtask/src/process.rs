//! Other programs, run to their end.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How often a program that is bounded in time is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs `command` in the foreground.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(Failure::not_started(command))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::failed(command, status, ""))
    }
}

/// Runs `command` unseen, for no longer than `bound`, and gives what it wrote to stdout.
pub(crate) fn output_within(command: &mut Command, bound: Duration) -> Result<String, Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Failure::not_started(command))?;
    let stdout = read(child.stdout.take());
    let stderr = read(child.stderr.take());
    let end = Instant::now() + bound;
    let status = loop {
        match child.try_wait().map_err(Failure::not_started(command))? {
            Some(status) => break status,
            None if Instant::now() < end => thread::sleep(LOOK_EVERY),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failure::too_slow(command, bound));
            }
        }
    };
    if status.success() {
        Ok(joined(stdout))
    } else {
        Err(Failure::failed(command, status, &joined(stderr)))
    }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn joined(reader: thread::JoinHandle<String>) -> String {
    reader.join().unwrap_or_default()
}

/// Runs `command` in this program's place, so that signals and the exit code are its own.
#[cfg(unix)]
pub(crate) fn exec(mut command: Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(Failure::not_started(&command)(error))
}

/// Runs `command` in the foreground: this system cannot put one program in another's place.
#[cfg(not(unix))]
pub(crate) fn exec(mut command: Command) -> Result<(), Failure> {
    run(&mut command)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const PLENTY: Duration = Duration::from_secs(60);

    #[test]
    fn what_a_program_says_is_kept() {
        let said = output_within(Command::new("echo").arg("hello"), PLENTY);
        assert_eq!(said.unwrap(), "hello\n");
    }

    #[test]
    fn a_program_past_its_bound_is_ended() {
        let started = Instant::now();
        let ended = output_within(Command::new("sleep").arg("60"), Duration::from_millis(10));
        assert!(matches!(ended, Err(Failure::TooSlow { .. })));
        assert!(started.elapsed() < PLENTY);
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let failed = output_within(
            Command::new("sh").args(["-c", "echo why >&2; exit 3"]),
            PLENTY,
        );
        let message = failed.unwrap_err().to_string();
        assert!(
            message.starts_with("`sh ") && message.ends_with(": why"),
            "{message}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failed = output_within(&mut Command::new("no-such-program"), PLENTY);
        assert!(
            failed
                .unwrap_err()
                .to_string()
                .starts_with("`no-such-program` could not be started")
        );
    }
}
