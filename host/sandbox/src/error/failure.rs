//! How an execution fails.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use crate::line::LINE_LIMIT;
use crate::size::Size;

/// Why an execution did not answer, or did not answer whole.
///
/// The text of each is for the operator's log. A caller is told no more than a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It ran longer than its wall time.
    #[error("ran longer than its limit of {0:?}")]
    Timeout(Duration),
    /// It trapped after it was refused memory, or because the host would have had to hold too much for it.
    #[error("wanted more memory than {limit}\n{trap}")]
    OutOfMemory {
        /// Which bound it met.
        limit: MemoryLimit,
        /// What it trapped with.
        trap: String,
    },
    /// It trapped: the reason and its wasm backtrace.
    #[error("{0}")]
    Crash(String),
    /// It ended itself with this exit code.
    #[error("exited with code {0}")]
    Exit(i32),
    /// It returned without an answer.
    #[error("returned without a response")]
    NoResponse,
    /// It answered with a wasi:http error code in place of a response.
    #[error("answered with the error code {0}")]
    ErrorCode(String),
    /// Its answer is not valid HTTP.
    #[error("its answer is not valid HTTP: {0}")]
    InvalidResponse(String),
    /// Its response body is larger than allowed.
    #[error("its response body is larger than {0} bytes")]
    ResponseTooLarge(u64),
    /// The request body is larger than allowed.
    #[error("the request body is larger than {0} bytes")]
    RequestTooLarge(u64),
    /// The client paused too long within the request body.
    #[error("the client sent nothing of the request body for {0:?}")]
    RequestTooSlow(Duration),
    /// The request body broke off or was malformed.
    #[error("the request body broke off")]
    RequestBroken,
    /// The client went away before it had the whole answer.
    #[error("the client went away before it had the answer")]
    Disconnected,
    /// The host could not give the execution what it needs.
    #[error("could not be started: {0}")]
    Start(String),
    /// It wanted more memory at its start than it may have.
    #[error("could not be started: wanted more memory than {0}")]
    StartMemory(MemoryLimit),
}

/// A bound on memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryLimit {
    /// Of one execution.
    #[error("its limit of {}", Size(*.0))]
    Execution(u64),
    /// Of all executions of one function.
    #[error("was left of the {} that one function may have", Size(*.0))]
    Function(u64),
    /// Of all executions together.
    #[error("was left of the {} of all executions", Size(*.0))]
    Total(u64),
}

impl Failure {
    /// The word of Cloud Functions' finish line: `finished with status: 'timeout'`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "timeout",
            Self::OutOfMemory { .. } => "out of memory",
            Self::Crash(_) | Self::Exit(_) => "crash",
            Self::Start(_) | Self::StartMemory(_) => "load error",
            Self::Disconnected
            | Self::RequestBroken
            | Self::RequestTooSlow(_)
            | Self::RequestTooLarge(_) => "connection error",
            Self::NoResponse
            | Self::ErrorCode(_)
            | Self::InvalidResponse(_)
            | Self::ResponseTooLarge(_) => "error",
        }
    }

    /// Whether the client, not the function, is to blame.
    pub fn is_from_client(&self) -> bool {
        matches!(
            self,
            Self::Disconnected
                | Self::RequestBroken
                | Self::RequestTooSlow(_)
                | Self::RequestTooLarge(_)
        )
    }

    /// Reads what wasmtime says of a guest that did not return.
    pub(crate) fn from_guest(
        error: &wasmtime::Error,
        is_instantiated: bool,
        memory_refused: Option<MemoryLimit>,
    ) -> Self {
        if let Some(InstanceEnded(error)) = error.downcast_ref() {
            return Self::from_guest(error, is_instantiated, memory_refused);
        }
        let refused = error.downcast_ref().map(|RefusedMemory(limit)| *limit);
        let memory_refused = memory_refused.or(refused);
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Exit(exit.0);
        }
        if let Some(TooLarge(limit)) = error.downcast_ref() {
            return Self::ResponseTooLarge(*limit);
        }
        if let Some(GaveUpBody(reason)) = error.downcast_ref() {
            return Self::InvalidResponse(bounded(format_args!("its body was given up: {reason}")));
        }
        let trap = bounded(format_args!("{}", describe(error)));
        match memory_refused {
            Some(limit) if error.is::<Trap>() || error.is::<HeldTooMuch>() => {
                Self::OutOfMemory { limit, trap }
            }
            Some(limit) if !is_instantiated => Self::StartMemory(limit),
            _ => Self::Crash(trap),
        }
    }

    /// Reads what the guest gave in place of a response.
    pub(crate) fn from_error_code(code: &impl fmt::Debug) -> Self {
        Self::ErrorCode(bounded(format_args!("{code:?}")))
    }
}

/// The guest wrote more than this many bytes of a response body that nobody reads, as the answer has none.
#[derive(Debug, thiserror::Error)]
#[error("wrote more than {0} bytes of a response body")]
pub(crate) struct TooLarge(pub(crate) u64);

/// The guest gave up the body of its response, and said why.
#[derive(Debug, thiserror::Error)]
#[error("gave up its response body: {0}")]
pub(crate) struct GaveUpBody(pub(crate) String);

/// The instance ended that several executions had at once.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InstanceEnded(pub(crate) Arc<wasmtime::Error>);

/// The instance, whose memory is no execution's own, was refused more than this.
#[derive(Debug, thiserror::Error)]
#[error("memory was refused: more than {0}")]
pub(crate) struct RefusedMemory(pub(crate) MemoryLimit);

/// The guest had the host hold more than its memory limit, or that of all, has left.
#[derive(Debug, thiserror::Error)]
#[error(
    "HTTP fields, paths, queries, bodies and values that the host holds for the guest take too much memory"
)]
pub(crate) struct HeldTooMuch;

/// Whether the guest ended itself and calls that a success.
pub(crate) fn is_success(error: &wasmtime::Error) -> bool {
    if let Some(InstanceEnded(error)) = error.downcast_ref() {
        return is_success(error);
    }
    error
        .downcast_ref::<I32Exit>()
        .is_some_and(|exit| exit.0 == 0)
}

/// `text`, of which a guest may have made any length, cut to that of a log line.
fn bounded(text: fmt::Arguments<'_>) -> String {
    struct Bounded(String);

    impl fmt::Write for Bounded {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            let room = piece.floor_char_boundary(LINE_LIMIT - self.0.len());
            self.0.push_str(&piece[..room]);
            if room < piece.len() {
                return Err(fmt::Error);
            }
            Ok(())
        }
    }

    let mut bounded = Bounded(String::new());
    if fmt::write(&mut bounded, text).is_err() {
        bounded.0.push_str(" … (cut)");
    }
    bounded.0
}

/// The trap first, then where it happened.
fn describe(error: &wasmtime::Error) -> String {
    let backtrace = error
        .downcast_ref::<wasmtime::WasmBacktrace>()
        .map(ToString::to_string);
    let mut reasons: Vec<String> = error.chain().map(ToString::to_string).collect();
    if let Some(backtrace) = &backtrace {
        reasons.retain(|reason| !backtrace.contains(reason.trim_end()));
    }
    reasons.reverse();
    let mut text = reasons.join(": ");
    if let Some(backtrace) = backtrace {
        text.push('\n');
        text.push_str(backtrace.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_becomes_a_line_of_bounded_length() {
        assert_eq!(bounded(format_args!("short {}", 1)), "short 1");
        let cut = bounded(format_args!("{}{}", "ä".repeat(LINE_LIMIT), "never read"));
        assert!(cut.len() < LINE_LIMIT + 20 && cut.ends_with("ä … (cut)"));
    }
}
