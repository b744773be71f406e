//! How an execution ended, and what it used.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use super::charges::HeldTooMuch;
use super::output::{LINE_LIMIT, Line};
use crate::size::Size;

/// Why an execution did not answer, or did not answer whole.
///
/// The text of each is for the operator's log. A caller is told no more than a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It ran longer than its wall time.
    #[error("ran longer than its limit of {0:?}; raise it with --timeout")]
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
    #[error("its response body is larger than {0} bytes; raise the limit with --max-response-body")]
    ResponseTooLarge(u64),
    /// The request body is larger than allowed.
    #[error("the request body is larger than {0} bytes; raise the limit with --max-request-body")]
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
}

/// A bound on memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryLimit {
    /// Of one execution.
    #[error("its limit of {}; raise it with --memory", Size(*.0))]
    Execution(u64),
    /// Of all executions of one function.
    #[error("was left of the {} that one function may have; raise them with --total-memory", Size(*.0))]
    Function(u64),
    /// Of all executions together.
    #[error("was left of the {} of all executions; raise them with --total-memory", Size(*.0))]
    Total(u64),
}

impl Failure {
    /// The word of Cloud Functions' finish line: `finished with status: 'timeout'`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "timeout",
            Self::OutOfMemory { .. } => "out of memory",
            Self::Crash(_) | Self::Exit(_) => "crash",
            Self::Start(_) => "load error",
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
    pub(super) fn from_guest(
        error: &wasmtime::Error,
        is_instantiated: bool,
        memory_refused: Option<MemoryLimit>,
    ) -> Self {
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Exit(exit.0);
        }
        if let Some(TooLarge(limit)) = error.downcast_ref() {
            return Self::ResponseTooLarge(*limit);
        }
        let trap = bounded(format_args!("{}", describe(error)));
        match memory_refused {
            Some(limit) if error.is::<Trap>() || error.is::<HeldTooMuch>() => {
                Self::OutOfMemory { limit, trap }
            }
            Some(limit) if !is_instantiated => {
                Self::Start(format!("wanted more memory than {limit}"))
            }
            _ => Self::Crash(trap),
        }
    }

    /// Reads what the guest gave in place of a response.
    pub(super) fn from_error_code(code: &ErrorCode) -> Self {
        Self::ErrorCode(bounded(format_args!("{code:?}")))
    }
}

/// The guest wrote more than this many bytes of a response body that nobody reads, as the answer has none.
#[derive(Debug, thiserror::Error)]
#[error("wrote more than {0} bytes of a response body")]
pub(super) struct TooLarge(pub(super) u64);

/// Whether the guest ended itself and calls that a success.
pub(super) fn is_success(error: &wasmtime::Error) -> bool {
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

/// A turn that lasts longer holds up others by more than they are promised. A busy guest has to give way after 2 to 4 ms;
/// what the host does for it within one call is not interrupted.
pub const LONG_TURN: Duration = Duration::from_millis(20);

/// What an execution used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// Time on a processor.
    pub busy: Duration,
    /// How often it held its thread for more than [`LONG_TURN`], in one piece.
    pub overruns: u64,
    /// The most memory held, in bytes.
    pub memory: u64,
    /// How long it took to make the instance, if that was done.
    pub instantiation: Option<Duration>,
    /// Bytes of the request body that the guest took.
    pub received: u64,
    /// Bytes of the response body that the guest gave.
    pub sent: u64,
}

/// The end of an execution.
#[derive(Debug)]
pub struct Ended {
    /// The status of its response head, if it came to that.
    pub status: Option<StatusCode>,
    /// Why it failed, if it did. With a status it failed after the head: that cut the response body short, unless the
    /// guest had finished it.
    pub failure: Option<Failure>,
    /// What it used.
    pub usage: Usage,
    /// What it printed since the observer was last told.
    pub lines: Vec<Line>,
}

/// Follows one execution. Its methods are called on the thread that runs the execution and must not block.
pub trait Observer: Send + 'static {
    /// The execution goes on but has to wait, or its slice is over; `lines` are what it printed since the last call.
    fn waiting(&mut self, lines: Vec<Line>);

    /// The execution has ended. Called once.
    fn ended(&mut self, ended: Ended);
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
