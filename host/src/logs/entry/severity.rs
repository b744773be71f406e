//! The severity of an entry.

use serde::Serialize;

/// The severities of Cloud Logging's `LogSeverity`, in rising order, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// No severity was given.
    Default = 0,
    /// Debugging information.
    Debug = 100,
    /// Routine information.
    Info = 200,
    /// Normal but significant.
    Notice = 300,
    /// May cause problems.
    Warning = 400,
    /// Likely causes problems.
    Error = 500,
    /// Causes severe problems.
    Critical = 600,
    /// A person must act at once.
    Alert = 700,
    /// The system is unusable.
    Emergency = 800,
}

impl Severity {
    /// All severities, in rising order.
    pub const ALL: [Self; 9] = [
        Self::Default,
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The severity with this name in Cloud Logging, in capitals.
    pub(in crate::logs) fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name().as_bytes() == name)
    }

    /// The bit that stands for it in a set of severities.
    pub(in crate::logs) fn bit(self) -> u16 {
        1 << (self.number() / 100)
    }

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

    /// The label in tables: `D`, `I` and `E` for the three common severities, the name for the others.
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
            assert_eq!(Severity::from_name(name.as_bytes()), Some(severity));
        }
        assert_eq!(Severity::ALL.to_vec(), expected.map(|row| row.0).to_vec());
        assert_eq!(Severity::from_name(b"debug"), None);
    }

    #[test]
    fn each_severity_has_a_bit_of_its_own_in_rising_order() {
        let bits = Severity::ALL.map(Severity::bit);
        assert!(bits.is_sorted_by(|a, b| a < b));
        assert!(bits.iter().all(|bit| bit.count_ones() == 1));
    }
}
