//! A state directory that commands and hosts share.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Directory, FREE_PORTS, Host, HostBuilder, Output, compiled, guest, wait_until};

/// A state directory, which the first command makes, in a directory of its own.
#[derive(Debug)]
pub struct State(Directory);

impl State {
    /// None yet.
    #[expect(clippy::new_without_default, reason = "it touches the disk")]
    pub fn new() -> Self {
        Self(Directory::new())
    }

    /// With a store in it, in which nothing is.
    #[track_caller]
    pub fn with_store() -> Self {
        let state = Self::new();
        state.create_job("j", "0 0 29 2 *", "http://127.0.0.1:1/", &[]);
        let deleted = state.jobs(["delete", "j", "--quiet"]).run();
        assert_eq!(deleted.code, Some(0), "{deleted:?}");
        state
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// The database in it.
    pub fn database(&self) -> PathBuf {
        self.path().join("host.db")
    }

    /// What lies beside it, for whatever a specification needs.
    pub fn beside(&self) -> &Path {
        self.0.path()
    }

    /// A file beside it with these bytes.
    #[track_caller]
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.beside().join(name);
        fs::write(&path, bytes)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    /// `host` with these arguments and this state.
    #[track_caller]
    pub fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> HostBuilder {
        Host::command(arguments).env("HOST_STATE_DIR", self.path())
    }

    /// Runs `host` with these arguments, divided by spaces, and this state.
    #[track_caller]
    pub fn run(&self, arguments: &str) -> Output {
        self.command(arguments.split_whitespace()).run()
    }

    /// `host functions` with these arguments.
    #[track_caller]
    pub fn functions(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> HostBuilder {
        self.command(["functions"]).args(arguments)
    }

    /// `host scheduler jobs` with these arguments.
    #[track_caller]
    pub fn jobs(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> HostBuilder {
        self.command(["scheduler", "jobs"]).args(arguments)
    }

    /// Creates the job `name`, which calls `uri` as `schedule` says, with `settings`.
    #[track_caller]
    pub fn create_job(&self, name: &str, schedule: &str, uri: &str, settings: &[&str]) -> Output {
        let output = self
            .jobs(["create", "http", name, "--schedule", schedule, "--uri", uri])
            .args(settings)
            .run();
        assert_eq!(output.code, Some(0), "{output:?}");
        output
    }

    /// Asks for a run of the job `name`.
    #[track_caller]
    pub fn run_job(&self, name: &str) {
        let output = self.jobs(["run", name]).run();
        assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{output:?}");
    }

    /// What `describe` says of the job `name`.
    #[track_caller]
    pub fn job(&self, name: &str) -> Value {
        json(&self.jobs(["describe", name, "--format=json"]).run())
    }

    /// What is known of the runs of the job `name`, the newest first, with their attempts.
    #[track_caller]
    pub fn job_runs(&self, name: &str) -> Vec<Value> {
        match json(
            &self
                .jobs(["runs", "list", name, "--format=json", "--limit=1000"])
                .run(),
        ) {
            Value::Array(runs) => runs,
            other => panic!("a list is an array: {other}"),
        }
    }

    /// The latest run of the job `name`, once it is over.
    #[track_caller]
    pub fn ended_run(&self, name: &str) -> Value {
        let mut latest = None;
        wait_until("a run is over", || {
            latest = self.job_runs(name).into_iter().next();
            let state = latest
                .as_ref()
                .map(|run| run["state"].as_str().unwrap_or_default());
            state.is_some_and(|state| !["waiting", "running"].contains(&state))
        });
        latest.expect("it was looked for")
    }

    /// Has the component called `source` (see [`guest`]) compiled already, for whoever is to deploy it.
    pub fn put_compiled(&self, source: &str) {
        compiled::put(source, &self.path());
    }

    /// `host serve` without a component, on ports of its own.
    #[track_caller]
    pub fn serve(&self) -> HostBuilder {
        self.command(["serve"]).args(FREE_PORTS)
    }

    /// Deploys the component called `source` (see [`guest`]) as the function `name`, open to all, with `settings`. A
    /// host that serves has taken it up by then.
    #[track_caller]
    pub fn deploy(&self, name: &str, source: &str, settings: &[&str]) -> Output {
        self.put_compiled(source);
        let output = self
            .functions(["deploy", name, "--allow-unauthenticated", "--source"])
            .arg(guest(source))
            .args(settings)
            .run();
        assert_eq!(output.code, Some(0), "{output:?}");
        output
    }

    /// Changes settings of the function `name`. A host that serves has taken them up by then.
    #[track_caller]
    pub fn update(&self, name: &str, settings: &[&str]) {
        let output = self.functions(["deploy", name]).args(settings).run();
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    /// Deletes the function `name`.
    #[track_caller]
    pub fn delete(&self, name: &str) {
        let output = self.functions(["delete", name, "--quiet"]).run();
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    /// What `describe` says of the function `name`.
    #[track_caller]
    pub fn describe(&self, name: &str) -> Value {
        json(&self.functions(["describe", name, "--format=json"]).run())
    }

    /// What `list` says of all functions.
    #[track_caller]
    pub fn list(&self) -> Vec<Value> {
        match json(&self.functions(["list", "--format=json"]).run()) {
            Value::Array(functions) => functions,
            other => panic!("a list is an array: {other}"),
        }
    }

    /// The names of all functions.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        let name = |function: &Value| function["name"].as_str().map(str::to_owned);
        self.list().iter().filter_map(name).collect()
    }
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert_eq!(output.code, Some(0), "{output:?}");
    match serde_json::from_str(&output.stdout) {
        Ok(value) => value,
        Err(error) => panic!("no JSON: {error}: {output:?}"),
    }
}
