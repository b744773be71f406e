//! Instances of functions in the process that serves: how many there are, and what they do.

use serde_json::{Value, json};

use super::methods::Method;
use super::{Api, Code, Reply, Request, Status};

/// The instances of one function, at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionInstances {
    /// The function.
    pub(crate) function: String,
    /// Executions under way.
    pub(crate) busy: u64,
    /// Executions at once, at most.
    pub(crate) limit: u64,
    /// Requests that wait for an instance.
    pub(crate) waiting: u64,
    /// Warm instances that are idle, if the function keeps any.
    pub(crate) warm: Option<u64>,
}

/// Counts the instances of all functions that are served.
pub(crate) type CountInstances = Box<dyn Fn() -> Vec<FunctionInstances> + Send + Sync>;

/// The method.
pub(super) const METHODS: &[Method] = &[Method::reads(
    "host.v1.Instances.List",
    "GET",
    "/host/v1/instances",
    "host.instances.list",
    list,
)];

fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let count = api.instances.as_ref().ok_or_else(|| {
        let message = "no host serves this store; start one with `host serve`";
        Status::new(Code::FailedPrecondition, message)
    })?;
    let page = request.page()?;
    let (functions, next) = page.of(count(), |one| one.function.clone());
    let functions: Vec<Value> = functions.iter().map(shown).collect();
    let mut answer = json!({ "functions": functions });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn shown(one: &FunctionInstances) -> Value {
    let mut shown = json!({
        "function": one.function,
        "busy": one.busy,
        "limit": one.limit,
        "waiting": one.waiting,
    });
    if let Some(warm) = one.warm {
        shown["warm"] = json!(warm);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::test_support::Scratch;

    #[test]
    fn without_a_host_that_serves_there_are_none_to_count() {
        let scratch = Scratch::new();
        let error = scratch.owner("GET /host/v1/instances", json!({}));
        assert_eq!(error.unwrap_err().code, Code::FailedPrecondition);
    }
}
