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
    /// All of them, in rising order.
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

    /// The one of this name in Cloud Logging, in capitals.
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name().as_bytes() == name)
    }

    /// A bit of its own, for sets of severities.
    pub(super) fn bit(self) -> u16 {
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
