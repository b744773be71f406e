//! The log: Cloud Logging v2, and what `host logs read` asks for.
//!
//! <https://cloud.google.com/logging/docs/reference/v2/rest>

mod criteria;
mod list;
mod own;
mod place;
mod tail;
#[cfg(test)]
mod tests;
mod write;

use super::methods::Method;
use super::{Api, Code, Params, Reply, Request, Status};
use crate::logs::{QueryError, log_ids, log_name};
use crate::store::Project;
pub(crate) use criteria::{Criteria, EVERY_LOG};
pub(crate) use own::{Found, hint};
pub(crate) use place::LogAccess;
pub(crate) use tail::Stream;

/// The methods of the log. What clients write is no change of the host, so no audit entry is written of it.
pub(super) const METHODS: &[Method] = &[
    Method::reads(
        "google.logging.v2.LoggingServiceV2.ListLogEntries",
        "POST",
        "/v2/entries:list",
        "logging.logEntries.list",
        list::list,
    ),
    Method::reads(
        "google.logging.v2.LoggingServiceV2.WriteLogEntries",
        "POST",
        "/v2/entries:write",
        "logging.logEntries.create",
        write::write,
    )
    .with_bodies_up_to(10 << 20),
    Method::reads(
        "google.logging.v2.LoggingServiceV2.TailLogEntries",
        "POST",
        "/v2/entries:tail",
        "logging.logEntries.list",
        no_tail,
    ),
    Method::reads(
        "google.logging.v2.LoggingServiceV2.ListLogs",
        "GET",
        "/v2/projects/{project}/logs",
        "logging.logs.list",
        list_logs,
    ),
    Method::reads(
        "host.v1.Logs.Read",
        "POST",
        "/host/v1/logs:read",
        "logging.logEntries.list",
        own::read,
    ),
    Method::reads(
        "host.v1.Logs.Tail",
        "POST",
        "/host/v1/logs:tail",
        "logging.logEntries.list",
        tail::tail,
    ),
];

fn list_logs(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let ids = log_ids(api.log().directory()?).map_err(unread)?;
    let (ids, next) = request.page()?.of(ids, Clone::clone);
    let project = &api.project().id;
    let names: Vec<_> = ids.iter().map(|id| log_name(project, id)).collect();
    let mut answer = serde_json::json!({ "logNames": names });
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer.into())
}

fn no_tail(_: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    Err(Status::new(
        Code::Unimplemented,
        "entries:tail is a method of gRPC, which this host does not speak; use `host logs read --follow` or POST \
         /host/v1/logs:tail",
    )
    .because("METHOD_NOT_FOUND")
    .with("method", "POST /v2/entries:tail"))
}

/// Makes sure that `name`, such as `projects/local`, is that of `project`.
fn check_project(project: &Project, name: &str) -> Result<(), Status> {
    match Params::of("projects/{project}", name) {
        Some(params) => params.check(project),
        None => Err(Status::invalid(format!(
            "`{name}` is not the name of a project; expected `{}`",
            project.name()
        ))),
    }
}

/// Why the log was not read. The files of this machine are nobody's affair who calls from another.
fn unread(error: QueryError) -> Status {
    match error {
        QueryError::Regex(_) => Status::invalid(error.to_string()),
        _ => {
            tracing::error!("a method of the control plane failed: {error}");
            Status::new(
                Code::Internal,
                "the log cannot be read; the host's own log says why",
            )
        }
    }
}
