//! What the process says of itself, as `tracing` events: which of them stderr gets, and in which form.
//!
//! Commands answer whoever typed them by `stderr::line!`. Everything else that has something to say
//! emits an event. As text an event is one line, `error: …`, `warning: …`, or the message alone; as JSON it is one object
//! with `timestamp`, `severity` and `message`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::safe;
use crate::stderr::Stderr;

/// The form of what the process says on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiagnosticsFormat {
    /// A line of text, for people.
    #[default]
    Text,
    /// A JSON object on a line, for programs.
    Json,
}

impl FromStr for DiagnosticsFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("`{text}` is no format; expected text or json")),
        }
    }
}

/// Which events stderr gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs somebody to act.
    Error,
    /// What is not as it should be.
    Warn,
    /// What has happened.
    #[default]
    Info,
    /// What helps to find a fault, such as connections that fail.
    Debug,
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => Err(format!(
                "`{text}` is no level; expected error, warn, info or debug"
            )),
        }
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
        }
    }
}

impl DiagnosticsFormat {
    /// The line that says that so many lines are missing.
    pub(crate) fn missing(self) -> fn(u64) -> String {
        match self {
            Self::Text => |count| format!("warning: {}\n", missing(count)),
            Self::Json => |count| json_line(Level::WARN, &missing(count)),
        }
    }
}

fn missing(count: u64) -> String {
    format!("{count} lines are missing here: nobody read them in time")
}

/// An event as JSON, with a line feed at its end.
fn json_line(level: Level, message: &str) -> String {
    let object = json!({
        "timestamp": Timestamp::now().to_string(),
        "severity": severity(level),
        "message": message,
    });
    format!("{}\n", safe::json(&object.to_string()))
}

/// Has stderr get the events of this program. The first call decides; a later one changes nothing.
pub fn begin(level: LogLevel, format: DiagnosticsFormat) {
    let layer = tracing_subscriber::fmt::layer()
        .event_format(format)
        .with_writer(|| Stderr)
        // It would tell of its own faults by `eprintln!`, which panics where stderr cannot be written to.
        .log_internal_errors(false)
        // What libraries say is not meant for whoever runs this program.
        .with_filter(filter_fn(is_own));
    let subscriber = Registry::default().with(layer.with_filter(LevelFilter::from(level)));
    // Another one is in place already if there was an earlier call.
    let _ = subscriber.try_init();
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    let module = metadata.target().split("::").next();
    module == Some(env!("CARGO_CRATE_NAME"))
}

impl<S, N> FormatEvent<S, N> for DiagnosticsFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        let level = *event.metadata().level();
        match self {
            Self::Text => {
                let text = format!("{}{}", prefix(level), message.0);
                writeln!(writer, "{}", safe::lines(&text))
            }
            Self::Json => writer.write_str(&json_line(level, &message.0)),
        }
    }
}

/// What a line begins with.
fn prefix(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error: ",
        Level::WARN => "warning: ",
        Level::INFO => "",
        Level::DEBUG | Level::TRACE => "debug: ",
    }
}

/// The level by the name that entries of functions have for it.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

/// The text of an event.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // A string takes whatever is written.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// What `run` says of itself on this thread, as text, beside what it returns.
#[cfg(test)]
pub(crate) fn captured<T>(run: impl FnOnce() -> T) -> (T, String) {
    tests::captured_as(DiagnosticsFormat::Text, run)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Output {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(super) fn captured_as<T>(
        format: DiagnosticsFormat,
        run: impl FnOnce() -> T,
    ) -> (T, String) {
        let output = Output::default();
        let writer = output.clone();
        let layer = tracing_subscriber::fmt::layer().event_format(format);
        let subscriber = Registry::default().with(layer.with_writer(move || writer.clone()));
        let result = tracing::subscriber::with_default(subscriber, run);
        let bytes = output.0.lock().unwrap().clone();
        (result, String::from_utf8(bytes).unwrap())
    }

    /// What becomes of an event of each level.
    fn said(format: DiagnosticsFormat) -> String {
        let say = || {
            tracing::error!("it fails: {}", "\u{1b}[2J");
            tracing::warn!("it may fail");
            tracing::info!("It goes on.");
            tracing::debug!("a detail");
        };
        captured_as(format, say).1
    }

    #[test]
    fn as_text_an_event_is_a_line_that_no_terminal_acts_on() {
        let expected =
            "error: it fails: \\x1b[2J\nwarning: it may fail\nIt goes on.\ndebug: a detail\n";
        assert_eq!(said(DiagnosticsFormat::Text), expected);
    }

    #[test]
    fn as_json_an_event_is_an_object_on_a_line() {
        let said = said(DiagnosticsFormat::Json);
        let objects = said.lines().map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let time: &str = object["timestamp"].as_str().unwrap();
            assert!(time.parse::<Timestamp>().is_ok(), "{time}");
            let text = |name: &str| object[name].as_str().unwrap().to_owned();
            (text("severity"), text("message"))
        });
        let expected = [
            ("ERROR", "it fails: \u{1b}[2J"),
            ("WARNING", "it may fail"),
            ("INFO", "It goes on."),
            ("DEBUG", "a detail"),
        ];
        let expected = expected.map(|(severity, text)| (severity.to_owned(), text.to_owned()));
        assert_eq!(objects.collect::<Vec<_>>(), expected);
    }
}
