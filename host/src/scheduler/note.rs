//! What the log says of an attempt.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::execution_id::ExecutionId;
use crate::logs::{Entry, Severity, Trace};
use crate::store::{AttemptEnd, JobName};

use super::round::{OK, Start};

/// An attempt, as log entries tell of it.
#[derive(Clone, Debug)]
pub struct AttemptNote {
    /// The job.
    pub job: JobName,
    /// When its run was due.
    pub scheduled: Timestamp,
    /// Which attempt of the run, from 1.
    pub attempt: u32,
    /// The trace that it begins, in which are the entries of what it calls.
    pub trace: Trace,
    /// What came of it, unless it only begins.
    pub end: Option<AttemptEnd>,
}

impl AttemptNote {
    pub(super) fn started(start: &Start) -> Self {
        Self {
            job: start.name.clone(),
            scheduled: start.run.scheduled,
            attempt: start.number,
            trace: start.trace,
            end: None,
        }
    }

    pub(super) fn finished(start: &Start, end: &AttemptEnd) -> Self {
        Self {
            end: Some(end.clone()),
            ..Self::started(start)
        }
    }

    /// The entry, now. Its name is the job's.
    pub fn entry(&self) -> Entry {
        let severity = match &self.end {
            Some(end) if end.code != OK => Severity::Error,
            _ => Severity::Info,
        };
        let name: Arc<str> = self.job.as_str().into();
        let execution = self.end.as_ref().and_then(|end| end.execution.as_deref());
        let execution = execution.and_then(ExecutionId::read);
        let entry = Entry::note(Arc::clone(&name), execution, severity, self.to_string());
        entry.of_job(name).in_trace(self.trace)
    }
}

impl fmt::Display for AttemptNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.end {
            None => "AttemptStarted",
            Some(_) => "AttemptFinished",
        };
        write!(
            f,
            "{word} scheduled={} attempt={}",
            self.scheduled, self.attempt
        )?;
        let Some(end) = &self.end else {
            return Ok(());
        };
        write!(f, " status={}", end.code)?;
        if let Some(execution) = &end.execution {
            write!(f, " execution={execution}")?;
        }
        match &end.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}
