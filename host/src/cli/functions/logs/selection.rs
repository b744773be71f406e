//! Which log entries are asked for.

use std::ops::RangeInclusive;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::super::super::time::instant;
use crate::api::Criteria;
use crate::logs::Severity;

/// Entries that meet everything that is said.
#[derive(Args)]
pub(super) struct Selection {
    /// Of this execution
    #[arg(long, value_name = "ID")]
    execution_id: Option<String>,

    /// Of this severity or a higher one: debug, info, notice, warning, error, critical, alert or emergency
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    min_log_level: Option<Severity>,

    /// Of this severity and no other
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,

    /// Of this time or later: 2026-11-23T14:00:00Z, a date or a date and time in UTC, or 2h for two hours ago
    #[arg(long, visible_alias = "since", value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    start_time: Option<Timestamp>,

    /// Earlier than this time
    #[arg(long, visible_alias = "until", value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    end_time: Option<Timestamp>,

    /// With these words
    #[arg(long, value_name = "WORDS")]
    contains: Option<String>,

    /// With a match of this regular expression
    #[arg(long, value_name = "REGEX")]
    regex: Option<String>,

    /// That tell of an execution which ended with this status: 503, 5xx or 400-499
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<RangeInclusive<u16>>,

    /// Of this trace, by its id
    #[arg(long, value_name = "ID")]
    trace: Option<String>,

    /// Of runs of this job, and of the executions that they caused
    #[arg(long, value_name = "NAME")]
    job: Option<String>,

    /// The order: by time, or backwards
    #[arg(long, value_enum, default_value_t = Direction::Asc, value_name = "ORDER")]
    order: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// Oldest first
    Asc,
    /// Newest first
    Desc,
}

impl Selection {
    /// `criteria` with these.
    pub(super) fn added_to(&self, criteria: Criteria) -> Criteria {
        let name = |severity: Option<Severity>| severity.map(|severity| severity.name().to_owned());
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let status = self.status.as_ref();
        Criteria {
            execution_id: self.execution_id.clone(),
            min_severity: name(self.min_log_level),
            severity: name(self.severity),
            start_time: time(self.start_time),
            end_time: time(self.end_time),
            contains: self.contains.clone(),
            regex: self.regex.clone(),
            status: status.map(|status| (*status.start(), *status.end())),
            trace: self.trace.clone(),
            job: self.job.clone(),
            newest_first: self.order == Direction::Desc,
            ..criteria
        }
    }
}

/// A severity by its name or by the letter of the table's first column.
fn severity(text: &str) -> Result<Severity, String> {
    let mut all = Severity::ALL.into_iter();
    all.find(|severity| {
        severity.name().eq_ignore_ascii_case(text) || severity.label().eq_ignore_ascii_case(text)
    })
    .ok_or_else(|| {
        let names: Vec<_> = Severity::ALL
            .iter()
            .map(|severity| severity.name().to_ascii_lowercase())
            .collect();
        format!(
            "`{text}` is not a severity; expected one of {}",
            names.join(", ")
        )
    })
}

fn status(text: &str) -> Result<RangeInclusive<u16>, String> {
    let code = |text: &str| {
        let code = text.parse().ok();
        code.filter(|code| text.len() == 3 && (100..=599).contains(code))
    };
    let class = |text: &str| {
        let class: u16 = text.strip_suffix("xx")?.parse().ok()?;
        (1..=5)
            .contains(&class)
            .then(|| class * 100..=class * 100 + 99)
    };
    let range = |text: &str| {
        let (first, last) = text.split_once('-')?;
        let range = code(first)?..=code(last)?;
        (!range.is_empty()).then_some(range)
    };
    let one = code(text).map(|code| code..=code);
    one.or_else(|| class(text)).or_else(|| range(text)).ok_or_else(|| {
        format!("`{text}` is not a status; expected one such as 503, a class such as 5xx, or a range such as 400-499")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_goes_by_its_name_and_its_letter() {
        assert_eq!(severity("warning"), Ok(Severity::Warning));
        assert_eq!(severity("ERROR"), Ok(Severity::Error));
        assert_eq!(severity("e"), Ok(Severity::Error));
        let refused = severity("bad").unwrap_err();
        assert!(refused.contains("debug, info"), "{refused}");
    }

    #[test]
    fn a_status_is_one_a_class_or_a_range() {
        assert_eq!(status("503"), Ok(503..=503));
        assert_eq!(status("5xx"), Ok(500..=599));
        assert_eq!(status("400-499"), Ok(400..=499));
        for bad in ["", "20", "600", "9xx", "xx", "500-400", "4xx-5xx", "+50"] {
            assert!(status(bad).is_err(), "{bad}");
        }
    }
}
