//! `host quickstart`: from a component to a private, scheduled function, a step at a time.

mod guide;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Message;
use super::functions::base_url;
use super::state::State;
use crate::store::{JobName, RunRecord, Store, StoreError};
use guide::Guide;

const FUNCTION: &str = "hello_world";
const ACCOUNT: &str = "quickstart";
const EMAIL: &str = "quickstart@host.internal";
const JOB: &str = "my-hourly-job";

/// Walk from a component to a private, scheduled function, a step at a time
///
/// Says what each step is for, shows its command, and runs it. What is there already stays, so it can be run twice.
#[derive(Args)]
pub(super) struct Quickstart {
    /// The component
    #[arg(default_value = "hello.wasm")]
    component: PathBuf,

    /// Take all steps without asking
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    state: State,
}

impl Quickstart {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        if !self.component.is_file() {
            return Err(format!(
                "there is no component {}; name one, or make one with `host new`",
                self.component.display()
            ));
        }
        let store = self.state.store()?;
        let guide = Guide::new(store.directory(), self.yes)?;
        guide.say(&format!(
            "This makes {} the private function `{FUNCTION}`, lets the new service account `{EMAIL}` call it, and has a \
             job call it every hour. Each step is one command.",
            self.component.display()
        ))?;
        let _host = guide.host(&store)?;
        let url = format!("{}/{FUNCTION}", base_url(&store)?);
        self.deploy(&guide)?;
        call_without_token(&guide, &url)?;
        let_account_call(&guide, &store)?;
        schedule(&guide, &store, &url)?;
        guide.say(&format!(
            "Done. `{FUNCTION}` is private and is called every hour while `host serve` runs. To undo it: `host scheduler jobs \
             delete {JOB}`, `host functions delete {FUNCTION}`, `host iam service-accounts delete {EMAIL}`."
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    fn deploy(&self, guide: &Guide) -> Result<(), Message> {
        guide
            .step("Deploy the component as a function. It is private unless one says otherwise.")?;
        let source = self.component.to_string_lossy();
        guide.run(&["functions", "deploy", FUNCTION, "--source", &source])
    }
}

fn call_without_token(guide: &Guide, url: &str) -> Result<(), Message> {
    guide.step("Call it as anyone could, without a token: it is not let in.")?;
    guide.request(url, 401)
}

fn let_account_call(guide: &Guide, store: &Store) -> Result<(), Message> {
    guide.step("Create a service account, which has no rights of its own, and let it call this one function.")?;
    match store.service_account(EMAIL) {
        Ok(_) => guide.say(&format!("The account {EMAIL} is there already."))?,
        Err(StoreError::NoServiceAccount { .. }) => {
            guide.run(&["iam", "service-accounts", "create", ACCOUNT])?;
        }
        Err(error) => return Err(error.to_string()),
    }
    guide.run(&[
        "functions",
        "add-iam-policy-binding",
        FUNCTION,
        "--member",
        &format!("serviceAccount:{EMAIL}"),
        "--role",
        "roles/cloudfunctions.invoker",
    ])?;
    guide.step("Call it with a token of that account.")?;
    guide.run(&[
        "functions",
        "call",
        FUNCTION,
        "--impersonate-service-account",
        EMAIL,
        "--data",
        r#"{"name": "quickstart"}"#,
    ])
}

fn schedule(guide: &Guide, store: &Store, url: &str) -> Result<(), Message> {
    guide.step("Have a job call it on the hour, with a token made for each call.")?;
    let job: JobName = JOB.parse().map_err(|error| format!("{JOB}: {error}"))?;
    // Where the host answers may have changed since the last time.
    let verb = match store.job(&job) {
        Ok(_) => "update",
        Err(_) => "create",
    };
    guide.run(&[
        "scheduler",
        "jobs",
        verb,
        "http",
        JOB,
        "--schedule",
        "0 * * * *",
        "--uri",
        url,
        "--http-method",
        "POST",
        "--oidc-service-account-email",
        EMAIL,
        "--message-body",
        r#"{"name": "Scheduler"}"#,
    ])?;
    guide.step("Run it now, instead of waiting for the hour, and read what came of it.")?;
    let before = last_run(store, &job)?.map(|run| run.scheduled);
    guide.run(&["scheduler", "jobs", "run", JOB])?;
    guide.wait(|| {
        let run = last_run(store, &job)?;
        Ok(run.is_some_and(|run| run.state.is_final() && Some(run.scheduled) != before))
    })?;
    guide.wait(|| guide.has_ended(JOB))?;
    guide.run(&["functions", "logs", "read", "--job", JOB, "--limit", "5"])
}

fn last_run(store: &Store, job: &JobName) -> Result<Option<RunRecord>, Message> {
    let runs = store.job_runs(job, 1).map_err(|error| error.to_string())?;
    Ok(runs.into_iter().next())
}
