//! Operations on functions, for which a command waits.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::client::Client;
use super::text;
use crate::api::{Code, Status};

/// How long the first pause between two questions is. Each one is twice as long as the one before it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long an operation of somebody else on the same function is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a host elsewhere that cannot be reached is asked again: one that is started anew resumes its operations.
const OUTAGE: Duration = Duration::from_secs(120);

/// What came of an operation that is done: its response, or why it failed.
pub(super) type Outcome = Result<Value, Status>;

/// Has `begin` begin an operation, and waits until it is done.
///
/// # Errors
/// If it cannot be begun, or the host cannot be asked how it goes.
pub(super) fn run(
    host: &Client,
    begin: impl Fn() -> Result<Value, Status>,
) -> Result<Outcome, Status> {
    let begun = Instant::now();
    let mut pauses = Pauses(FIRST_PAUSE);
    loop {
        match begin() {
            // There is one on the function already.
            Err(status) if status.code == Code::Aborted && begun.elapsed() < PATIENCE => {
                pauses.wait();
            }
            operation => {
                // A command in the host's own state directory can be repeated at once, with no host that serves.
                let outage = match host.is_elsewhere() {
                    true => OUTAGE,
                    false => Duration::ZERO,
                };
                return outcome(operation?, outage, |path| host.get(path));
            }
        }
    }
}

/// Waits until `operation` is done. A host that cannot be reached is asked again for as long as `outage`.
fn outcome(
    mut operation: Value,
    outage: Duration,
    get: impl Fn(&str) -> Result<Value, Status>,
) -> Result<Outcome, Status> {
    let path = format!("/v2/{}", text(&operation["name"]));
    let mut pauses = Pauses(FIRST_PAUSE);
    let mut last_answer = Instant::now();
    while operation["done"] != true {
        pauses.wait();
        match get(&path) {
            Err(status) if status.code == Code::Unavailable && last_answer.elapsed() < outage => {}
            answer => {
                operation = answer?;
                last_answer = Instant::now();
            }
        }
    }
    Ok(match operation.get("error") {
        None => Ok(operation["response"].take()),
        Some(error) => {
            let code = Code::numbered(error["code"].as_u64().unwrap_or_default());
            Err(Status::new(code, text(&error["message"])))
        }
    })
}

struct Pauses(Duration);

impl Pauses {
    fn wait(&mut self) {
        thread::sleep(self.0);
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;

    /// What comes of an operation if its host answers with `code` once, and then that it is done.
    fn after(code: Code, outage: Duration) -> Result<Outcome, Status> {
        let is_first = Cell::new(true);
        outcome(json!({ "name": "operations/o" }), outage, |path| {
            assert_eq!(path, "/v2/operations/o");
            match is_first.replace(false) {
                true => Err(Status::new(code, "no")),
                false => Ok(json!({ "done": true, "response": "r" })),
            }
        })
    }

    #[test]
    fn a_host_that_cannot_be_reached_for_a_while_is_asked_again() {
        let done = after(Code::Unavailable, OUTAGE).unwrap();
        assert_eq!(done, Ok(json!("r")));
        for (code, outage) in [
            (Code::Unavailable, Duration::ZERO),
            (Code::PermissionDenied, OUTAGE),
        ] {
            assert_eq!(after(code, outage).unwrap_err().code, code);
        }
    }
}
