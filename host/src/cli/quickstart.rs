//! `host quickstart`: from a component to a private, scheduled function, a step at a time.

mod guide;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Message;
use super::state::StateDirectory;
use crate::api::functions::base_url;
use crate::store::{JobName, RunRecord, Store, StoreError};
use guide::Guide;

const FUNCTION: &str = "quickstart_hello";
const ACCOUNT: &str = "quickstart";
const EMAIL: &str = "quickstart@host.internal";
const JOB: &str = "quickstart-hourly";

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
    state: StateDirectory,
}

impl Quickstart {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        if !self.component.is_file() {
            return Err(format!(
                "there is no component {}; name one, or make one with `host new`",
                self.component.display()
            ));
        }
        let store = self.state.store_or_new()?;
        let guide = Guide::new(store.directory(), self.state.is_default(), self.yes)?;
        refuse_foreign(&guide, &store)?;
        guide.say(&format!(
            "This makes {} the private function `{FUNCTION}`, lets the service account `{EMAIL}` call it, and has a \
             job call it every hour. Each step is one command.",
            self.component.display()
        ))?;
        let host = guide.host(&store)?;
        let url = format!("{}/{FUNCTION}", base_url(&store)?);
        if !url.starts_with("http://") {
            return Err(format!(
                "the host that serves is called at {url}, and this walk speaks no TLS; take it with another state: --state-dir"
            ));
        }
        self.deploy(&guide)?;
        call_without_token(&guide, &url)?;
        let_account_call(&guide, &store)?;
        schedule(&guide, &store, &url)?;
        let serve = guide.shown(&["serve"]);
        let how = match host {
            Some(_) => format!(
                "while a host serves. The one of this walk ends with it: start another with `{serve}`."
            ),
            None => "while the host serves.".to_owned(),
        };
        guide.say(&format!(
            "\nDone. `{FUNCTION}` is private, and is called every hour {how} To undo it:"
        ))?;
        for undo in [
            ["scheduler", "jobs", "delete", JOB].as_slice(),
            &["functions", "delete", FUNCTION],
            &["iam", "service-accounts", "delete", EMAIL],
        ] {
            guide.say(&format!("  {}", guide.shown(undo)))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn deploy(&self, guide: &Guide) -> Result<(), Message> {
        guide
            .step("Deploy the component as a function. It is private unless one says otherwise.")?;
        let source = self.component.to_string_lossy();
        guide.run(&["functions", "deploy", FUNCTION, "--source", &source])
    }
}

/// Leaves a function alone that was not made by this walk, though it has the name.
fn refuse_foreign(guide: &Guide, store: &Store) -> Result<(), Message> {
    let name = FUNCTION.parse().map_err(|error| format!("{error}"))?;
    let settings = match store.function(&name) {
        Ok(function) => function.settings,
        Err(StoreError::NoFunction { .. }) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let member = format!("serviceAccount:{EMAIL}");
    // Until the account may call it, a function of this walk lets nobody in.
    match settings.lets_nobody_in() || settings.invokers.contains(&member) {
        true => Ok(()),
        false => Err(format!(
            "there is a function `{FUNCTION}` already, which this walk did not make; delete it with `{}`, or take the walk \
             with another state: --state-dir",
            guide.shown(&["functions", "delete", FUNCTION])
        )),
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
    Ok(store.job_runs(job, 1)?.into_iter().next())
}
