//! One try of a run: a request, and what came of it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use http::header::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use super::TokenFor;
use super::client::{SendError, TargetClient};
use super::clock::Clock;
use super::outcome::{Outcome, UNAVAILABLE};
use super::request::request;
use super::retry_after::asked;
use super::round::{ABORTED, OK, Start};
use super::shutdown::Shutdown;
use crate::execution_id::EXECUTION_ID_LENGTH;
use crate::store::AttemptEnd;

const EXECUTION_ID: HeaderName = HeaderName::from_static("function-execution-id");
/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// Makes the tokens that jobs send along.
pub trait TokenSource: Send + Sync {
    /// The token that `identity` names. May block for as long as signing takes.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    fn token(&self, identity: &TokenFor) -> Result<String, String>;
}

/// Makes tokens, as many at once as there are cores: more threads would sign no faster, and each keeps memory.
#[derive(Clone)]
pub(super) struct Minter {
    source: Arc<dyn TokenSource>,
    free: Arc<Semaphore>,
}

impl Minter {
    pub(super) fn new(source: Arc<dyn TokenSource>) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            source,
            free: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Signing keeps a thread busy, and this one answers others.
    async fn mint(&self, identity: TokenFor) -> Result<String, String> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.map_err(|error| error.to_string())?;
        let source = Arc::clone(&self.source);
        let minted = tokio::task::spawn_blocking(move || {
            // Held to the very end, also when nobody waits for the token any more.
            let _permit = permit;
            source.token(&identity)
        });
        minted.await.map_err(|error| error.to_string())?
    }
}

/// Makes the request of `start`, and tells what came of it when it has ended, its deadline has passed, or the host can
/// wait no longer; and after which time the target asks to be tried again, if it does.
pub(super) async fn attempt(
    client: TargetClient,
    minter: Minter,
    start: &Start,
    clock: &Clock,
    mut shutdown: Shutdown,
) -> (AttemptEnd, Option<Duration>) {
    let begun = Instant::now();
    let outcome = tokio::select! {
        outcome = in_time(client, minter, start) => outcome,
        () = shutdown.over() => Outcome::failure(ABORTED, "the host ended during the attempt".into()),
    };
    let outcome = outcome.in_drain(shutdown.has_begun());
    let reason = outcome
        .reason
        .map(|reason| reason.chars().take(LONGEST_REASON).collect());
    let end = AttemptEnd {
        time: clock.now(),
        took: Some(begun.elapsed()),
        code: outcome.code.into(),
        status: outcome.status.map(|status| status.as_u16()),
        reason,
        execution: outcome.execution,
    };
    (end, outcome.asked)
}

async fn in_time(client: TargetClient, minter: Minter, start: &Start) -> Outcome {
    let deadline = start.job.deadline;
    match tokio::time::timeout(deadline, exchange(client, minter, start)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::failure(
            "DEADLINE_EXCEEDED",
            format!("no complete answer within {deadline:?}"),
        ),
    }
}

async fn exchange(client: TargetClient, minter: Minter, start: &Start) -> Outcome {
    let token = match &start.job.target.identity {
        None => None,
        Some(identity) => match minter.mint(identity.clone()).await {
            Ok(token) => Some(token),
            Err(reason) => return Outcome::failure("UNAUTHENTICATED", reason),
        },
    };
    let request = match request(start, token.as_deref()) {
        Ok(request) => request,
        Err(error) => return Outcome::failure("INVALID_ARGUMENT", error.to_string()),
    };
    let response = match client.call(request).await {
        Ok(response) => response,
        Err(error @ SendError::Refused) => {
            return Outcome::failure("PERMISSION_DENIED", error.to_string());
        }
        Err(error) => return Outcome::failure(UNAVAILABLE, error.to_string()),
    };
    let is_own = client.is_own(&response);
    let (head, body) = response.into_parts();
    // Others may say what they like.
    let execution = head.headers.get(EXECUTION_ID).filter(|_| is_own);
    let execution = execution.and_then(execution_id);
    let mut outcome = Outcome::of_status(head.status);
    if let Err(error) = read_to_end(body).await
        && outcome.code == OK
    {
        outcome.code = "INTERNAL";
        outcome.reason = Some(format!("the answer was cut short: {error}"));
    }
    Outcome {
        execution,
        asked: asked(head.status, &head.headers),
        ..outcome
    }
}

/// Nobody wants what it says, but a caller that hangs up is a failure of the one called.
async fn read_to_end(mut body: Incoming) -> Result<(), hyper::Error> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

fn execution_id(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_id = text.len() == EXECUTION_ID_LENGTH && text.bytes().all(is_part);
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_an_execution_id_is_taken_for_one() {
        let id = |text: &'static str| execution_id(&HeaderValue::from_static(text));
        assert_eq!(id("rndmid64qasr").as_deref(), Some("rndmid64qasr"));
        for text in [
            "",
            "RNDMID64QASR",
            "rndmid64qas",
            "rndmid64qasr1",
            "rndmid64qa r",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
