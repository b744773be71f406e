//! `logs.read`: what `host logs read` shows of a host elsewhere.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::list::SEARCH;
use super::{Criteria, unread};
use crate::api::request::document;
use crate::api::{Api, Reply, Request, Status};
use crate::logs::{Query, QueryResult, Unreadable, logged_functions, read as find};
use crate::store::{did_you_mean, nearest};

/// The size of the entries of an answer, in bytes. It is held in memory.
const MAX_BYTES: usize = 16 << 20;

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Found {
    /// How many entries were found.
    pub(crate) count: usize,
    /// The entries, as the lines that are stored, in the order that was asked for. Where the answer goes on with new
    /// entries, they follow it instead.
    pub(crate) lines: Vec<String>,
    /// Whether entries are, or may be, missing because the answer would be too large or the search took too long.
    pub(crate) is_cut: bool,
    /// What could not be read and is missing. Its files are names without a directory.
    pub(crate) unreadable: Unreadable,
    /// What was likely meant, if nothing was found.
    pub(crate) hint: Option<String>,
}

pub(super) fn read(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let criteria: Criteria = request.read()?;
    let query = Query {
        max_bytes: MAX_BYTES,
        time_limit: Some(SEARCH),
        ..criteria.query(api.project())?
    };
    let directory = api.log().directory()?;
    let result = find(directory, &query).map_err(unread)?;
    let found = Found::of(result, directory, &query);
    Ok(document(&found)?.into())
}

impl Found {
    /// What `query` found in `directory`.
    pub(super) fn of(result: QueryResult, directory: &Path, query: &Query) -> Self {
        Self {
            // A search that ended early has not shown that there is nothing.
            hint: (result.entries.is_empty() && !result.is_cut)
                .then(|| hint(directory, query))
                .flatten(),
            count: result.entries.len(),
            lines: result.entries.into_iter().map(|entry| entry.line).collect(),
            is_cut: result.is_cut,
            unreadable: without_directory(result.unreadable),
        }
    }
}

/// `unreadable` with the names of the files alone: where they are is nobody's affair who calls from another machine.
pub(super) fn without_directory(unreadable: Unreadable) -> Unreadable {
    let files = unreadable.files.iter();
    Unreadable {
        files: files
            .filter_map(|file| file.file_name().map(PathBuf::from))
            .collect(),
        ..unreadable
    }
}

/// What is said where `query` found nothing: that there is no entry of the function in it at all, and which name is near.
pub(crate) fn hint(directory: &Path, query: &Query) -> Option<String> {
    let name = query.function.as_ref()?;
    // A log that cannot be read was told of before.
    let names = logged_functions(directory).unwrap_or_default();
    if names.is_empty() || names.contains(name) {
        return None;
    }
    let meant = did_you_mean(nearest(name, names).as_ref());
    Some(format!("No entry is kept of `{name}`{meant}"))
}
