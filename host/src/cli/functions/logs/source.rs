//! Where the log is read: from the files of the state directory, or from a host elsewhere.
//!
//! The files are read by this process, so it does not matter whether a host serves, and what it serves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::super::super::Message;
use super::super::super::client::{ClientArgs, Lines, Remote};
use crate::api::{Criteria, Found, hint};
use crate::logs::{
    Follow, NewEntries, Query, QueryError, QueryResult, StoredEntry, Unreadable, read,
};
use crate::stderr;
use crate::store::{Project, Store};

/// How long a host may take to begin an answer with new entries.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long new entries of a host elsewhere are waited for at once.
const WAIT: Duration = Duration::from_millis(20);

/// The log of a host.
pub(super) enum LogSource {
    /// The files in this directory, of the host with this project.
    Files(PathBuf, Project),
    /// A host elsewhere.
    Host(Box<Remote>),
}

/// What was found.
pub(super) struct Reading {
    pub(super) found: QueryResult,
    /// What was likely meant, if nothing was found.
    pub(super) hint: Option<String>,
}

/// What is written from now on.
pub(super) enum News {
    Files(Box<Follow>),
    Host(Box<Lines>),
}

impl LogSource {
    /// The log that `host` leads to.
    ///
    /// # Errors
    /// If there is no way to it.
    pub(super) fn of(host: &ClientArgs, criteria: &Criteria) -> Result<Self, Message> {
        if let Some(remote) = host.elsewhere()? {
            return Ok(Self::Host(Box::new(remote)));
        }
        let log = host.state.kept_log()?;
        let needs_project =
            criteria.filter.is_some() || criteria.project.is_some() || criteria.location.is_some();
        // The log can be read without the store, and whatever has become of that.
        let project = match needs_project && !Store::is_missing(&host.state.directory()?) {
            true => host
                .state
                .store()?
                .project()
                .map_err(|error| error.to_string())?,
            false => Project::default(),
        };
        Ok(Self::Files(log, project))
    }

    /// Reads the entries that meet `criteria`.
    ///
    /// # Errors
    /// If the criteria make no sense, or the log cannot be read.
    pub(super) fn read(&self, criteria: &Criteria) -> Result<Reading, Message> {
        match self {
            Self::Files(directory, project) => {
                let query = criteria.query(project)?;
                let found = read(directory, &query).map_err(text)?;
                Ok(Reading::of(found, directory, &query))
            }
            Self::Host(remote) => {
                let answer = remote.call("POST", "/host/v1/logs:read", body(criteria))?;
                let found = Found::deserialize(answer).map_err(|error| foreign(&error))?;
                let lines = found.lines.iter().map(|line| stored(line.as_bytes()));
                let entries = lines.collect::<Result<_, _>>()?;
                Ok(Reading::told(entries, found))
            }
        }
    }

    /// As [`read`](Self::read), and what is written from then on.
    ///
    /// # Errors
    /// If the criteria make no sense, or the log cannot be read.
    pub(super) fn follow(self, criteria: &Criteria) -> Result<(Reading, News), Message> {
        match self {
            Self::Files(directory, project) => {
                let query = criteria.query(&project)?;
                let (found, follow) = Follow::start(&directory, &query).map_err(text)?;
                Ok((
                    Reading::of(found, &directory, &query),
                    News::Files(Box::new(follow)),
                ))
            }
            Self::Host(remote) => {
                let mut lines = remote.lines("POST", "/host/v1/logs:tail", body(criteria))?;
                let first = lines.one(PATIENCE)?;
                let found: Found =
                    serde_json::from_slice(&first).map_err(|error| foreign(&error))?;
                // The entries follow, and their number is known.
                let mut entries = Vec::new();
                while entries.len() < found.count {
                    entries.push(stored(&lines.one(PATIENCE)?)?);
                }
                Ok((Reading::told(entries, found), News::Host(Box::new(lines))))
            }
        }
    }
}

impl News {
    /// What was written since the last call.
    ///
    /// # Errors
    /// If the log cannot be read, or the host ends the answer.
    pub(super) fn poll(&mut self) -> Result<NewEntries, Message> {
        let lines = match self {
            Self::Files(follow) => return follow.poll().map_err(text),
            Self::Host(lines) => lines.several(WAIT)?,
        };
        let mut new = NewEntries {
            is_behind: !lines.is_empty(),
            ..NewEntries::default()
        };
        for line in lines.iter().filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<Missing>(line) {
                Ok(missing) => new.unreadable += missing.unreadable,
                Err(_) => new.entries.push(stored(line)?),
            }
        }
        Ok(new)
    }
}

/// A line that tells what could not be read.
#[derive(Deserialize)]
struct Missing {
    unreadable: Unreadable,
}

impl Reading {
    /// Says what was likely meant, and whether entries are missing.
    pub(super) fn tell(&self) {
        if let Some(hint) = &self.hint {
            stderr::line!("{hint}");
        }
        if self.found.is_cut {
            stderr::line!(
                "note: entries may be missing, because the answer would be too large or the search took too long; name an --end-time \
                 to see earlier ones, or a --start-time to search less"
            );
        }
    }

    fn of(found: QueryResult, directory: &Path, query: &Query) -> Self {
        let is_empty = found.entries.is_empty();
        Self {
            hint: is_empty.then(|| hint(directory, query)).flatten(),
            found,
        }
    }

    fn told(entries: Vec<StoredEntry>, found: Found) -> Self {
        Self {
            hint: found.hint,
            found: QueryResult {
                entries,
                is_cut: found.is_cut,
                unreadable: found.unreadable,
            },
        }
    }
}

fn body(criteria: &Criteria) -> Bytes {
    json!(criteria).to_string().into()
}

fn text(error: QueryError) -> Message {
    error.to_string()
}

fn stored(line: &[u8]) -> Result<StoredEntry, Message> {
    StoredEntry::parse(line)
        .ok_or_else(|| "the host sent a line that is not a log entry; update this program".into())
}

fn foreign(error: &serde_json::Error) -> Message {
    format!("the answer is not of a host's log: {error}")
}
