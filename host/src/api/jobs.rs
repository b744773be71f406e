//! Jobs: Cloud Scheduler v1.
//!
//! <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs>

pub(crate) mod form;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::Fields;
use super::mask;
use super::methods::Method;
use super::{Api, Code, Reply, Request, Status};
use crate::scheduler::{self, Job};
use crate::store::{AttemptRecord, JobName, JobSettings, PolicyOf, StoreError};

/// The methods of jobs.
pub(super) const METHODS: &[Method] = &[
    Method::changes(
        "google.cloud.scheduler.v1.CloudScheduler.CreateJob",
        "POST",
        "/v1/projects/{project}/locations/{location}/jobs",
        "cloudscheduler.jobs.create",
        create,
    ),
    Method::reads(
        "google.cloud.scheduler.v1.CloudScheduler.GetJob",
        "GET",
        "/v1/projects/{project}/locations/{location}/jobs/{job}",
        "cloudscheduler.jobs.get",
        get,
    ),
    Method::reads(
        "google.cloud.scheduler.v1.CloudScheduler.ListJobs",
        "GET",
        "/v1/projects/{project}/locations/{location}/jobs",
        "cloudscheduler.jobs.list",
        list,
    ),
    Method::changes(
        "google.cloud.scheduler.v1.CloudScheduler.UpdateJob",
        "PATCH",
        "/v1/projects/{project}/locations/{location}/jobs/{job}",
        "cloudscheduler.jobs.update",
        update,
    ),
    Method::changes(
        "google.cloud.scheduler.v1.CloudScheduler.DeleteJob",
        "DELETE",
        "/v1/projects/{project}/locations/{location}/jobs/{job}",
        "cloudscheduler.jobs.delete",
        delete,
    ),
    Method::changes(
        "google.cloud.scheduler.v1.CloudScheduler.PauseJob",
        "POST",
        "/v1/projects/{project}/locations/{location}/jobs/{job}:pause",
        "cloudscheduler.jobs.pause",
        pause,
    ),
    Method::changes(
        "google.cloud.scheduler.v1.CloudScheduler.ResumeJob",
        "POST",
        "/v1/projects/{project}/locations/{location}/jobs/{job}:resume",
        "cloudscheduler.jobs.enable",
        resume,
    ),
    Method::changes(
        "google.cloud.scheduler.v1.CloudScheduler.RunJob",
        "POST",
        "/v1/projects/{project}/locations/{location}/jobs/{job}:run",
        "cloudscheduler.jobs.run",
        run,
    ),
];

fn create(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let document = request.json()?;
    check_fields(request, &document)?;
    let name = match Fields::of(&document).text("name")? {
        Some(name) if !name.is_empty() => new_name(api, &name)?,
        _ => parse(&format!("job-{:016x}", rand::random::<u64>()))?,
    };
    let none = JobSettings::default();
    let mut settings = form::settings(&document, &none)?;
    check(&settings)?;
    ActAs::of(api, request, &settings)?.check(&none, &mut settings)?;
    match api.store().create_job(&name, &settings, Timestamp::now()) {
        Err(StoreError::JobExists(name)) => {
            let name = api.project().of("jobs", &name);
            let message = format!("Job '{name}' already exists.");
            return Err(Status::new(Code::AlreadyExists, message).about(&name));
        }
        created => drop(created?),
    }
    shown(api, &name)
}

fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    shown(api, &name(request)?)
}

fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let records = api.store().jobs()?;
    let (records, next) = request
        .page()?
        .of(records, |record| record.name.to_string());
    let jobs = records.iter().map(|record| {
        let last = last_attempt(api, &record.name)?;
        Ok(form::shown(api.project(), record, last.as_ref()))
    });
    let jobs: Vec<Value> = jobs.collect::<Result<_, Status>>()?;
    let mut answer = json!({ "jobs": jobs });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn update(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = name(request)?;
    let new = request.json()?;
    check_fields(request, &new)?;
    let mask = request.mask()?;
    if let Some(mask) = &mask {
        let own = form::OWN_FIELDS;
        mask.check(|field| form::FIELDS.contains(&field) || own.contains(&field))?;
    }
    let changed = |before: &JobSettings| {
        let mut document = form::of_settings(before);
        match &mask {
            Some(mask) => mask.apply(&mut document, &new),
            None => mask::replace(&mut document, &new),
        }
        form::settings(&document, before)
    };
    let before = api
        .store()
        .job(&name)
        .map_err(|error| missing(api, error))?;
    let wanted = changed(&before.settings)?;
    check(&wanted)?;
    let act_as = ActAs::of(api, request, &wanted)?;
    // Why the change failed, whose message is all that the store passes on.
    let mut failure = None;
    let change = |before: JobSettings| {
        let after = changed(&before).and_then(|mut after| {
            act_as.check(&before, &mut after)?;
            Ok(after)
        });
        after.map_err(|status| failure.insert(status).message.clone())
    };
    let updated = scheduler::update(api.store(), &name, Timestamp::now(), change);
    updated.map_err(|error| failure.unwrap_or_else(|| missing(api, error)))?;
    shown(api, &name)
}

fn delete(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let deleted = api.store().delete_job(&name(request)?);
    deleted.map_err(|error| missing(api, error))?;
    Ok(json!({}).into())
}

fn pause(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = name(request)?;
    let paused = scheduler::pause(api.store(), &name, Timestamp::now());
    paused.map_err(|error| in_state(api, error))?;
    shown(api, &name)
}

fn resume(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = name(request)?;
    let resumed = scheduler::resume(api.store(), &name, Timestamp::now());
    resumed.map_err(|error| in_state(api, error))?;
    shown(api, &name)
}

fn run(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = name(request)?;
    let record = api
        .store()
        .job(&name)
        .map_err(|error| missing(api, error))?;
    if let Some(error) = scheduler::disabled(&record) {
        let message = format!("the job `{name}` cannot run: {error}");
        return Err(Status::new(Code::FailedPrecondition, message));
    }
    if !api.store().is_served() {
        let message = "no host serves this store; start one with `host serve`";
        return Err(Status::new(Code::FailedPrecondition, message));
    }
    api.store().request_run(&name, Timestamp::now())?;
    shown(api, &name)
}

fn shown(api: &Api, name: &JobName) -> Result<Reply, Status> {
    let record = api.store().job(name).map_err(|error| missing(api, error))?;
    let last = last_attempt(api, name)?;
    Ok(form::shown(api.project(), &record, last.as_ref()).into())
}

fn last_attempt(api: &Api, name: &JobName) -> Result<Option<AttemptRecord>, Status> {
    let runs = api.store().job_runs(name, usize::from(u8::MAX))?;
    Ok(runs
        .into_iter()
        .find_map(|run| run.attempts.into_iter().last()))
}

/// Makes sure that `settings` make a job.
fn check(settings: &JobSettings) -> Result<(), Status> {
    let accepted = Job::accept(settings).map(drop);
    accepted.map_err(|error| Status::invalid(error.to_string()))
}

/// The service account that a job is to act for, and whether the caller may have it do so.
///
/// It is looked up before the job is changed, and compared when it is: until then somebody else may have changed the job.
struct ActAs {
    email: Option<String>,
    /// The account's subject, or why the caller may not.
    subject: Result<Option<String>, Status>,
}

impl ActAs {
    /// For a job with the settings `wanted`.
    ///
    /// # Errors
    /// If there is no such account, or the store fails.
    fn of(api: &Api, request: &Request<'_>, wanted: &JobSettings) -> Result<Self, Status> {
        let Some(email) = wanted.oidc_account.clone() else {
            return Ok(Self {
                email: None,
                subject: Ok(None),
            });
        };
        let found = api.store().service_account(&email);
        let found = found.map_err(|error| Status::invalid(error.to_string()))?;
        let account = PolicyOf::ServiceAccount(email.clone());
        let permitted = api.require(
            &request.caller.principal,
            "iam.serviceAccounts.actAs",
            &account,
        );
        Ok(Self {
            email: Some(email),
            subject: permitted.map(|()| Some(found.subject)),
        })
    }

    /// Makes sure that a job may be changed from `before` to `after`, and notes in `after` which account of this address is
    /// meant. A job whose target stays as it is keeps its account: the caller sends that account's token nowhere.
    ///
    /// # Errors
    /// If the caller may not have a job act for the account.
    fn check(&self, before: &JobSettings, after: &mut JobSettings) -> Result<(), Status> {
        if after.has_target_of(before) {
            after.oidc_subject.clone_from(&before.oidc_subject);
            return Ok(());
        }
        if after.oidc_account != self.email {
            let message = "the service account of the job was changed meanwhile; try again";
            return Err(Status::new(Code::Aborted, message));
        }
        after.oidc_subject = self.subject.clone()?;
        Ok(())
    }
}

/// Google's clients may know fields that this host does not; a command of this program may not.
fn check_fields(request: &Request<'_>, document: &Value) -> Result<(), Status> {
    if !request.is_own_client {
        return Ok(());
    }
    let known = [&form::FIELDS[..], &form::OWN_FIELDS].concat();
    Fields::of(document).only(&known)
}

/// The name of the job in the path.
///
/// # Errors
/// If it is none of a job.
pub(super) fn name(request: &Request<'_>) -> Result<JobName, Status> {
    parse(request.params.get("job"))
}

/// The name that a job is to have; a full one is in this host's project and location.
fn new_name(api: &Api, text: &str) -> Result<JobName, Status> {
    let name = parse(text)?;
    let full_name = api.project().of("jobs", &name);
    match text.contains('/') && text != full_name {
        true => Err(Status::invalid(format!(
            "the job's name is `{}`; expected `{full_name}`",
            text.escape_debug()
        ))),
        false => Ok(name),
    }
}

fn parse(name: &str) -> Result<JobName, Status> {
    name.parse()
        .map_err(|error: crate::store::JobNameError| Status::invalid(error.to_string()))
}

/// Why the store does not have a job, with its full name.
pub(super) fn missing(api: &Api, error: StoreError) -> Status {
    let name = match &error {
        StoreError::NoJob { name, .. } => api.project().of("jobs", name),
        _ => return error.into(),
    };
    Status::from(error).about(&name)
}

/// A job that is in another state than the one that is needed.
fn in_state(api: &Api, error: StoreError) -> Status {
    match error {
        StoreError::Settings(message) => Status::new(Code::FailedPrecondition, message),
        error => missing(api, error),
    }
}

#[cfg(test)]
mod tests;
