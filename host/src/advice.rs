//! What to do about what the sandbox says: the flag that allows more.
//!
//! The sandbox is a library and knows no flags. Here each of its failures gets the words that a person at a command line
//! needs; whatever shows one to people goes through these functions.

use std::fmt::Display;

use host_sandbox::memory::{MIB, MemoryLimit};
use host_sandbox::output::Remedy;
use host_sandbox::{Failure, Line, LoadError};

/// Why an execution failed, and how to let it go on.
pub(crate) fn failure(failure: &Failure) -> String {
    with(failure, of_failure(failure))
}

/// Why a component was not loaded, and how to have it loaded.
pub(crate) fn load_error(error: &LoadError) -> String {
    match error {
        LoadError::Instantiate(failure) => with(error, of_failure(failure)),
        _ => with(error, &of_load_error(error)),
    }
}

/// What is wrong with the component that goes by `name`, which stands in it once.
pub(crate) fn named(error: &LoadError, name: impl Display) -> String {
    match error {
        LoadError::Read { .. } | LoadError::NotAFile(_) => load_error(error),
        _ => format!("{name}: {}", load_error(error)),
    }
}

/// A line of an execution. What the sandbox says in it gets how to prevent that.
pub(crate) fn line(mut line: Line) -> Line {
    match line.remedy.take() {
        Some(Remedy::LogOutput) => line.text.push_str("; raise it with --log-limit"),
        Some(Remedy::Outbound(allowed)) => {
            line.text.push_str("; allow it with --allow-outbound ");
            line.text.push_str(&allowed);
        }
        _ => {}
    }
    line
}

fn of_failure(failure: &Failure) -> &'static str {
    match failure {
        Failure::Timeout(_) => "; raise it with --timeout",
        Failure::ResponseTooLarge(_) => "; raise the limit with --max-response-body",
        Failure::RequestTooLarge(_) => "; raise the limit with --max-request-body",
        Failure::OutOfMemory { limit, .. } | Failure::StartMemory(limit) => of_memory(*limit),
        _ => "",
    }
}

fn of_memory(limit: MemoryLimit) -> &'static str {
    match limit {
        MemoryLimit::Execution(_) => "; raise it with --memory",
        MemoryLimit::Function(_) | MemoryLimit::Total(_) => "; raise them with --total-memory",
        _ => "",
    }
}

fn of_load_error(error: &LoadError) -> String {
    match error {
        LoadError::Stopped => ": the host is about to end".into(),
        LoadError::CompileTime(_) => "; allow more with --compile-timeout".into(),
        LoadError::CompileMemory { .. } => "; allow more with --compile-memory".into(),
        LoadError::Memory { needs, .. } => {
            format!("; allow more with --memory {}Mi", needs.div_ceil(MIB))
        }
        LoadError::OtherWasi { .. } => ", or run it in another host that `host check` names".into(),
        _ => String::new(),
    }
}

/// `text` with `advice` at the end of its first line: what follows that is a trap and where it happened.
fn with(text: &dyn Display, advice: &str) -> String {
    let text = text.to_string();
    match text.split_once('\n') {
        Some((first, rest)) if !advice.is_empty() => format!("{first}{advice}\n{rest}"),
        _ => text + advice,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use host_sandbox::Stream;

    use super::*;

    #[test]
    fn the_flag_comes_before_the_trap() {
        let limit = MemoryLimit::Execution(32 << 20);
        let trap = "unreachable\n  0: f".to_owned();
        assert_eq!(
            failure(&Failure::OutOfMemory { limit, trap }),
            "wanted more memory than its limit of 32 MiB; raise it with --memory\nunreachable\n  0: f"
        );
        assert_eq!(
            failure(&Failure::Crash("trap\n  0: f".into())),
            "trap\n  0: f"
        );
    }

    #[test]
    fn a_component_that_does_not_start_is_told_what_it_lacks() {
        let limit = MemoryLimit::Total(1 << 30);
        assert_eq!(
            load_error(&LoadError::Instantiate(Failure::StartMemory(limit))),
            "the component does not start: could not be started: wanted more memory than was left of the 1 GiB of all \
             executions; raise them with --total-memory"
        );
    }

    #[test]
    fn memory_at_the_start_over_the_limit_comes_with_the_flag_that_allows_it() {
        let error = LoadError::Memory {
            needs: (2 << 20) - 1,
            limit: 1 << 20,
        };
        let line = named(&error, "hello.wasm");
        assert!(
            line.starts_with("hello.wasm: the component starts with")
                && line.ends_with("; allow more with --memory 2Mi"),
            "{line}"
        );
        let line = load_error(&LoadError::CompileTime(Duration::from_secs(1)));
        assert!(
            line.ends_with("; allow more with --compile-timeout"),
            "{line}"
        );
    }

    #[test]
    fn a_line_of_the_sandbox_says_what_would_have_prevented_it() {
        let said = |remedy| {
            let line = Line {
                time: SystemTime::UNIX_EPOCH,
                stream: Stream::Host,
                text: "refused".into(),
                context: String::new(),
                remedy,
            };
            super::line(line).text
        };
        assert_eq!(said(None), "refused");
        assert_eq!(
            said(Some(Remedy::Outbound("http://a.example".into()))),
            "refused; allow it with --allow-outbound http://a.example"
        );
    }
}
