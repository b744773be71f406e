//! Which entries `host logs read` asks for.

use std::time::SystemTime;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::list::invalid;
use crate::api::{Params, Status};
use crate::logs::{FUNCTIONS_LOG, Filter, Log, Order, Predicate, Query, Severity};
use crate::store::Project;

/// Stands for every log.
pub(crate) const EVERY_LOG: &str = "-";
/// The most entries that are found.
const MOST: usize = 1000;
/// How many are found unless a number is asked for.
const USUAL: usize = 20;

/// Which entries are asked for: those that meet all that is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Criteria {
    /// The project, if it is to be checked; `-` stands for any.
    pub(crate) project: Option<String>,
    /// The location, if it is to be checked; `-` stands for any.
    pub(crate) location: Option<String>,
    /// In the log with this id, or in [every](EVERY_LOG) log; without it, in that of the functions.
    pub(crate) log: Option<String>,
    /// Of this function.
    pub(crate) function: Option<String>,
    /// Of this execution.
    pub(crate) execution_id: Option<String>,
    /// Of the severity with this name or a higher one.
    pub(crate) min_severity: Option<String>,
    /// Of the severity with this name.
    pub(crate) severity: Option<String>,
    /// Of this time or later, as in RFC 3339.
    pub(crate) start_time: Option<String>,
    /// Earlier than this time, as in RFC 3339.
    pub(crate) end_time: Option<String>,
    /// With this text.
    pub(crate) contains: Option<String>,
    /// With a match of this regular expression.
    pub(crate) regex: Option<String>,
    /// The end of an execution with a status from the first to the second.
    pub(crate) status: Option<(u16, u16)>,
    /// Of this trace.
    pub(crate) trace: Option<String>,
    /// Of executions that this job caused.
    pub(crate) job: Option<String>,
    /// That match this filter in Google's Logging query language.
    pub(crate) filter: Option<String>,
    /// How many at most, from 1 to 1000.
    pub(crate) limit: Option<usize>,
    /// Whether the newest come first.
    pub(crate) newest_first: bool,
}

impl Criteria {
    /// The query for these entries of the host's `project`.
    ///
    /// # Errors
    /// If a criterion makes no sense, or another project is meant.
    pub(crate) fn query(&self, project: &Project) -> Result<Query, Status> {
        let own = [("project", &self.project), ("location", &self.location)];
        Params::named(own).check(project)?;
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let message = format!("limit is {limit}; expected 1 to {MOST}");
            return Err(Status::invalid(message));
        }
        let query = Query {
            log: log(self.log.as_deref())?,
            function: self.function.clone(),
            function_in_any_case: None,
            execution_id: self.execution_id.clone(),
            min_severity: severity("minSeverity", self.min_severity.as_deref())?,
            severity: severity("severity", self.severity.as_deref())?,
            start: time("startTime", self.start_time.as_deref())?,
            end: time("endTime", self.end_time.as_deref())?,
            contains: self.contains.clone(),
            regex: self.regex.clone(),
            status: self.status.map(|(first, last)| first..=last),
            trace: self.trace.clone(),
            job: self.job.clone(),
            predicate: None,
            limit,
            max_bytes: usize::MAX,
            time_limit: None,
            order: match self.newest_first {
                true => Order::NewestFirst,
                false => Order::OldestFirst,
            },
        };
        match &self.filter {
            Some(filter) => self.filtered(query, filter, project),
            None => Ok(query),
        }
    }

    fn filtered(&self, query: Query, filter: &str, project: &Project) -> Result<Query, Status> {
        let filter: Filter = filter.parse().map_err(invalid)?;
        let mut query = filter.narrow(query);
        if self.execution_id.is_some() {
            // The one of the filter has to be met as well, which the filter itself sees to.
            query.execution_id.clone_from(&self.execution_id);
        }
        let project = project.clone();
        query.predicate = Some(Predicate::new(move |entry| {
            filter.matches(&entry.to_google(&project.id, &project.location))
        }));
        Ok(query)
    }
}

fn log(id: Option<&str>) -> Result<Log, Status> {
    let Some(id) = id else {
        return Ok(Log::Functions);
    };
    // As the names of logs are listed.
    let id = percent_decode_str(id).decode_utf8();
    let id = id.map_err(|_| Status::invalid("the log id is not UTF-8"))?;
    Ok(match &*id {
        EVERY_LOG => Log::All,
        FUNCTIONS_LOG => Log::Functions,
        id => Log::Other(id.to_owned()),
    })
}

fn severity(field: &str, name: Option<&str>) -> Result<Option<Severity>, Status> {
    let Some(name) = name else {
        return Ok(None);
    };
    let mut all = Severity::ALL.into_iter();
    let found = all.find(|severity| severity.name() == name);
    found.map(Some).ok_or_else(|| {
        let names = Severity::ALL.map(Severity::name).join(", ");
        Status::invalid(format!("{field} is `{name}`; expected one of {names}"))
    })
}

fn time(field: &str, text: Option<&str>) -> Result<Option<SystemTime>, Status> {
    let time = text.map(str::parse::<Timestamp>).transpose();
    let time = time.map_err(|_| {
        let text = text.unwrap_or_default();
        Status::invalid(format!(
            "{field} is `{text}`; expected one such as 2026-11-23T14:00:00Z"
        ))
    })?;
    Ok(time.map(SystemTime::from))
}
