//! What the benchmark is told.

use std::path::PathBuf;
use std::time::Duration;

const USAGE: &str = "usage: benchmark [instances|tokens|functions|logs|jobs|together|soak] [--rounds N] [--seconds N] [--connections N] \
    [--functions N] [--millions N] [--component FILE] [--body BYTES] [--wrk FILE] [--wasmtime FILE]";

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) rounds: usize,
    pub(crate) duration: Duration,
    pub(crate) connections: usize,
    /// How many of them one host serves.
    pub(crate) functions: usize,
    /// How many million entries are written and read back.
    pub(crate) millions: String,
    /// What each request has as its body, in bytes, for a component that sends it back.
    pub(crate) body: Option<usize>,
    pub(crate) wrk: PathBuf,
    pub(crate) wasmtime: PathBuf,
    pub(crate) host: PathBuf,
    /// The program that fills a log and reads it.
    pub(crate) kept_logs: PathBuf,
    /// What is served: the greeting, if nothing else is said.
    pub(crate) component: PathBuf,
    pub(crate) spins: PathBuf,
    /// Whose tokens a private function accepts.
    pub(crate) issuer: Option<String>,
    /// Who may call it.
    pub(crate) invoker: Option<String>,
}

impl Settings {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        let profile = executable.parent().ok_or("the benchmark has no folder")?;
        let target = profile
            .parent()
            .ok_or("the benchmark has no target folder")?;
        let mut settings = Self {
            rounds: 3,
            duration: Duration::from_secs(5),
            connections: 16,
            functions: 1000,
            millions: "50".into(),
            body: None,
            wrk: "wrk".into(),
            wasmtime: "wasmtime".into(),
            host: profile.join("host"),
            kept_logs: profile.join("examples/kept_logs"),
            component: target.join("hello.wasm"),
            spins: target.join("guests/spins.wasm"),
            issuer: None,
            invoker: None,
        };
        for pair in arguments.chunks(2) {
            settings.set(pair)?;
        }
        Ok(settings)
    }

    fn set(&mut self, pair: &[String]) -> Result<(), String> {
        let [flag, value] = pair else {
            return Err(USAGE.into());
        };
        let number = || {
            value
                .parse::<usize>()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| format!("{flag} {value}: expected a number above 0"))
        };
        match flag.as_str() {
            "--rounds" => self.rounds = number()?,
            "--seconds" => self.duration = Duration::from_secs(number()? as u64),
            "--connections" => self.connections = number()?,
            "--functions" => self.functions = number()?,
            "--millions" => self.millions.clone_from(value),
            "--body" => self.body = Some(number()?),
            "--component" => self.component = value.into(),
            "--wrk" => self.wrk = value.into(),
            "--wasmtime" => self.wasmtime = value.into(),
            _ => return Err(format!("{flag} is not known; {USAGE}")),
        }
        Ok(())
    }
}
