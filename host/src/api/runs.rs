//! Runs of jobs: what came of their due times.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::methods::Method;
use super::{Api, Code, Reply, Request, Status, jobs};
use crate::store::{AttemptRecord, JobName, KEPT_RUNS, RunRecord};

/// The methods of runs.
pub(super) const METHODS: &[Method] = &[
    Method::reads(
        "host.v1.Runs.ListRuns",
        "GET",
        "/host/v1/projects/{project}/locations/{location}/jobs/{job}/runs",
        PERMISSION,
        list,
    ),
    Method::reads(
        "host.v1.Runs.GetRun",
        "GET",
        "/host/v1/projects/{project}/locations/{location}/jobs/{job}/runs/{run}",
        PERMISSION,
        get,
    ),
];

const PERMISSION: &str = "host.runs.list";
/// What the latest run goes by, beside its scheduled time.
pub(crate) const LATEST: &str = "latest";

/// The newest first.
fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let runs = latest(api, &jobs::name(request)?, KEPT_RUNS)?;
    let (runs, next) = request.page()?.of(runs, |run| backwards(run.scheduled));
    let runs: Vec<Value> = runs.iter().map(shown).collect();
    let mut answer = json!({ "runs": runs });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = jobs::name(request)?;
    let run = match request.params.get("run") {
        LATEST => latest(api, &name, 1)?.into_iter().next(),
        time => {
            let time = time.parse().map_err(|_| {
                Status::invalid(format!(
                    "the run is `{time}`; expected its scheduled time, such as 2026-11-23T14:00:00Z, or `{LATEST}`"
                ))
            })?;
            let run = api.store().job_run(&name, time);
            run.map_err(|error| jobs::missing(api, error))?
        }
    };
    let run = run.ok_or_else(|| {
        Status::new(
            Code::NotFound,
            format!("the job `{name}` has no such run; `host scheduler jobs runs list {name}` shows those that it has"),
        )
    })?;
    Ok(shown(&run).into())
}

fn latest(api: &Api, name: &JobName, most: usize) -> Result<Vec<RunRecord>, Status> {
    let runs = api.store().job_runs(name, most);
    runs.map_err(|error| jobs::missing(api, error))
}

/// A text that comes before those of earlier times.
fn backwards(time: Timestamp) -> String {
    format!(
        "{:020}",
        Timestamp::MAX.as_microsecond() - time.as_microsecond()
    )
}

fn shown(run: &RunRecord) -> Value {
    let attempts: Vec<_> = run.attempts.iter().map(attempt).collect();
    let mut value = json!({
        "scheduledTime": run.scheduled.to_string(),
        "trigger": run.trigger.as_str(),
        "state": run.state.as_str(),
        "attempts": attempts,
    });
    if let Some(reason) = &run.reason {
        value["reason"] = json!(reason);
    }
    if let Some(ended) = run.ended {
        value["endTime"] = json!(ended.to_string());
    }
    value
}

fn attempt(attempt: &AttemptRecord) -> Value {
    let mut value = json!({
        "number": attempt.number,
        "startTime": attempt.started.to_string(),
    });
    let Some(end) = &attempt.end else {
        return value;
    };
    let took = match end.took {
        Some(took) => took.as_secs_f64(),
        // The clock tells it as well as it can.
        None => end
            .time
            .duration_since(attempt.started)
            .as_secs_f64()
            .max(0.0),
    };
    value["duration"] = json!(format!("{took:.3}s"));
    value["status"] = json!(end.code);
    let given = [
        ("httpStatus", json!(end.status)),
        ("reason", json!(end.reason)),
        ("executionId", json!(end.execution)),
    ];
    for (key, given) in given {
        if !given.is_null() {
            value[key] = given;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::test_support::Scratch;
    use crate::store::{JobSettings, PolicyOf};

    const RUNS: &str = "GET /host/v1/projects/-/locations/-/jobs/j/runs";

    fn scratch(runs: i64) -> Scratch {
        let scratch = Scratch::new();
        let store = scratch.store();
        let name: JobName = "j".parse().unwrap();
        let settings = JobSettings::default();
        store
            .create_job(&name, &settings, Timestamp::UNIX_EPOCH)
            .unwrap();
        for second in 0..runs {
            let time = Timestamp::from_second(second).unwrap();
            store.request_run(&name, time).unwrap();
        }
        scratch
    }

    #[test]
    fn runs_are_listed_page_by_page_the_newest_first() {
        let scratch = scratch(3);
        let times = |page: &Value| {
            let runs = page["runs"].as_array().unwrap().iter();
            let times = runs.map(|run| run["scheduledTime"].as_str().unwrap().to_owned());
            times.collect::<Vec<_>>()
        };
        let first = scratch
            .owner(&format!("{RUNS}?pageSize=2"), json!({}))
            .unwrap();
        assert_eq!(
            times(&first),
            ["1970-01-01T00:00:02Z", "1970-01-01T00:00:01Z"]
        );
        let token = first["nextPageToken"].as_str().unwrap();
        let second = scratch
            .owner(&format!("{RUNS}?pageToken={token}"), json!({}))
            .unwrap();
        assert_eq!(times(&second), ["1970-01-01T00:00:00Z"]);
        assert_eq!(second["nextPageToken"], Value::Null);
    }

    #[test]
    fn a_run_goes_by_its_scheduled_time_and_the_latest_by_that_word() {
        let scratch = scratch(2);
        let get = |run: &str| scratch.owner(&format!("{RUNS}/{run}"), json!({}));
        let latest = get(LATEST).unwrap();
        assert_eq!(latest["scheduledTime"], "1970-01-01T00:00:01Z");
        assert_eq!(latest["trigger"], "manual");
        let first = get("1970-01-01T00%3A00%3A00Z").unwrap();
        assert_eq!(first["scheduledTime"], "1970-01-01T00:00:00Z");
        assert_eq!(get("first").unwrap_err().code, Code::InvalidArgument);
        let missing = get("1970-01-01T00%3A00%3A09Z").unwrap_err();
        assert_eq!(missing.code, Code::NotFound);
        assert!(missing.message.contains("has no such run"), "{missing}");
        let missing = scratch.owner("GET /host/v1/projects/-/locations/-/jobs/k/runs", json!({}));
        assert_eq!(missing.unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn whoever_sees_jobs_sees_their_runs() {
        let scratch = scratch(1);
        for target in [RUNS.to_owned(), format!("{RUNS}/{LATEST}")] {
            assert!(scratch.user(&target, json!({})).unwrap_err().is_denied());
        }
        scratch.grant("roles/cloudscheduler.viewer", &PolicyOf::Project);
        for target in [RUNS.to_owned(), format!("{RUNS}/{LATEST}")] {
            assert!(scratch.user(&target, json!({})).is_ok());
        }
    }
}
