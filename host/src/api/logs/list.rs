//! `entries.list`
//!
//! <https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list>

use std::time::Duration;

use serde_json::{Value, json};

use super::{check_project, unread};
use crate::api::fields::Fields;
use crate::api::{Api, Reply, Request, Status};
use crate::logs::{
    Filter, FilterError, Log, Order, Position, PositionError, Query, read_page_within,
};

/// The most entries of a page, as in Cloud Logging.
const LARGEST: usize = 1000;
/// How many entries a page has unless a number is asked for, as in Cloud Logging.
const USUAL: usize = 50;
/// How long a search goes on. Then the answer has what was found.
pub(super) const SEARCH: Duration = Duration::from_secs(10);

pub(super) fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let document = request.json()?;
    let fields = Fields::of(&document);
    check_resources(api, &fields)?;
    let text = |field| Ok::<_, Status>(fields.text(field)?.unwrap_or_default());
    let filter: Filter = text("filter")?.parse().map_err(invalid)?;
    let size = match fields.number("pageSize")? {
        None | Some(0) => USUAL,
        Some(size) => LARGEST.min(size as usize),
    };
    let token = text("pageToken")?;
    let after = match token.is_empty() {
        true => None,
        false => Some(token.parse::<Position>().map_err(unknown)?),
    };
    let query = filter.narrow(Query {
        log: Log::All,
        limit: size,
        order: order(&text("orderBy")?)?,
        ..Query::default()
    });
    let project = api.project();
    let google = |entry: &crate::logs::StoredEntry| entry.to_google(&project.id, &project.location);
    let directory = api.log().directory()?;
    let page = read_page_within(directory, &query, after.as_ref(), SEARCH, &|entry| {
        filter.matches(&google(entry))
    });
    let page = page.map_err(unread)?;
    let entries: Vec<Value> = page.entries.iter().map(google).collect();
    let mut answer = json!({ "entries": entries });
    if let Some(next) = page.next {
        answer["nextPageToken"] = json!(next.to_string());
    }
    let missing = page.unreadable;
    if missing.parts + missing.entries > 0 {
        answer["unreadable"] = json!({ "parts": missing.parts, "entries": missing.entries });
    }
    Ok(answer.into())
}

/// Makes sure that this project is meant, and no other.
fn check_resources(api: &Api, fields: &Fields<'_>) -> Result<(), Status> {
    let mut names = fields.list("resourceNames")?;
    let ids = fields.list("projectIds")?;
    names.extend(ids.iter().map(|id| format!("projects/{id}")));
    if names.is_empty() {
        return Err(Status::invalid(format!(
            "resourceNames is empty; expected `{}`",
            api.project().name()
        )));
    }
    names
        .iter()
        .try_for_each(|name| check_project(api.project(), name))
}

fn order(text: &str) -> Result<Order, Status> {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [] | ["timestamp"] | ["timestamp", "asc"] => Ok(Order::OldestFirst),
        ["timestamp", "desc"] => Ok(Order::NewestFirst),
        _ => Err(Status::invalid(format!(
            "orderBy is `{text}`; expected `timestamp asc` or `timestamp desc`"
        ))),
    }
}

pub(super) fn invalid(error: FilterError) -> Status {
    Status::invalid(error.to_string())
}

fn unknown(error: PositionError) -> Status {
    Status::invalid(error.to_string())
}
