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
            operation => return outcome(host, operation?),
        }
    }
}

fn outcome(host: &Client, mut operation: Value) -> Result<Outcome, Status> {
    let mut pauses = Pauses(FIRST_PAUSE);
    while operation["done"] != true {
        pauses.wait();
        operation = host.get(&format!("/v2/{}", text(&operation["name"])))?;
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
