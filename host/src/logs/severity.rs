//! How much an entry matters.

/// The severities of Cloud Logging's `LogSeverity`, in rising order, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// None given.
    Default = 0,
    /// For whoever debugs.
    Debug = 100,
    /// Routine.
    Info = 200,
    /// Normal but worth seeing.
    Notice = 300,
    /// May cause trouble.
    Warning = 400,
    /// Likely causes trouble.
    Error = 500,
    /// Causes severe trouble.
    Critical = 600,
    /// Someone must act at once.
    Alert = 700,
    /// Nothing works.
    Emergency = 800,
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

    /// Its number in Cloud Logging.
    pub fn number(self) -> u16 {
        self as u16
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_labels_are_those_of_cloud_logging() {
        let expected = [
            (Severity::Default, "DEFAULT", 0, "DEFAULT"),
            (Severity::Debug, "DEBUG", 100, "D"),
            (Severity::Info, "INFO", 200, "I"),
            (Severity::Notice, "NOTICE", 300, "NOTICE"),
            (Severity::Warning, "WARNING", 400, "WARNING"),
            (Severity::Error, "ERROR", 500, "E"),
            (Severity::Critical, "CRITICAL", 600, "CRITICAL"),
            (Severity::Alert, "ALERT", 700, "ALERT"),
            (Severity::Emergency, "EMERGENCY", 800, "EMERGENCY"),
        ];
        for (severity, name, number, label) in expected {
            assert_eq!(severity.name(), name);
            assert_eq!(severity.number(), number);
            assert_eq!(severity.label(), label);
        }
    }
}
