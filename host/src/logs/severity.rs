//! How much an entry matters.

/// The severities of Cloud Logging's `LogSeverity`, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// None given.
    Default,
    /// For whoever debugs.
    Debug,
    /// Routine.
    Info,
    /// Normal but worth seeing.
    Notice,
    /// May cause trouble.
    Warning,
    /// Likely causes trouble.
    Error,
    /// Causes severe trouble.
    Critical,
    /// Someone must act at once.
    Alert,
    /// Nothing works.
    Emergency,
}

impl Severity {
    /// Its name in Cloud Logging.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
            Self::Alert => "ALERT",
            Self::Emergency => "EMERGENCY",
        }
    }

    /// What `functions logs read` shows: a letter for the three common ones, the name for the others.
    pub fn label(self) -> &'static str {
        match self {
            Self::Debug => "D",
            Self::Info => "I",
            Self::Error => "E",
            other => other.name(),
        }
    }
}
