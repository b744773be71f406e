//! The log that is kept, as its reader gets it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::{Host, Output, State, wait_until};

impl State {
    /// Where the log is kept.
    pub fn log_directory(&self) -> PathBuf {
        self.path().join("logs")
    }

    /// The names of the files that the log is kept in.
    #[track_caller]
    pub fn log_files(&self) -> Vec<String> {
        let files = fs::read_dir(self.log_directory()).expect("there is a log");
        let name = |file: fs::DirEntry| file.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = files.map(|file| name(file.expect("a file"))).collect();
        names.sort();
        names
    }

    /// The number of the segment that is written to, if there is one.
    pub fn segment(&self) -> Option<u64> {
        let current = fs::read_link(self.log_directory().join("current")).ok()?;
        current.to_str()?.split('.').next()?.parse().ok()
    }

    /// `host functions logs read --follow` with these arguments, divided by spaces. Its lines are there as they come.
    #[track_caller]
    pub fn follow_log(&self, arguments: &str) -> Host {
        self.command(["functions", "logs", "read", "--follow"])
            .args(arguments.split_whitespace())
            .start_unannounced()
    }

    /// `host serve` with the component called `guest` and this state.
    #[track_caller]
    pub fn serve_component(&self, guest: &str) -> crate::HostBuilder {
        crate::compiled::put(guest, &self.path());
        self.serve().arg(crate::guest(guest))
    }

    /// `host functions logs read` with these arguments, divided by spaces.
    #[track_caller]
    pub fn read_log(&self, arguments: &str) -> Output {
        self.run(&format!("functions logs read {arguments}"))
    }

    /// The kept entries that these arguments ask for.
    #[track_caller]
    pub fn kept(&self, arguments: &str) -> Vec<Value> {
        let output = self.read_log(&format!("--format=json {arguments}"));
        assert_eq!(output.code, Some(0), "{output:?}");
        let entry = |line: &str| serde_json::from_str(line).expect("an entry is JSON");
        output.stdout.lines().map(entry).collect()
    }

    /// The texts of those entries.
    #[track_caller]
    pub fn kept_texts(&self, arguments: &str) -> Vec<String> {
        let text = |entry: &Value| entry["textPayload"].as_str().unwrap_or("").to_owned();
        self.kept(arguments).iter().map(text).collect()
    }

    /// Waits until the end of the execution called `id` is kept, and gives all of its entries.
    #[track_caller]
    pub fn kept_of(&self, id: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        wait_until("the execution's end is kept", || {
            entries = self.kept(&format!("--limit=1000 --execution-id={id}"));
            entries
                .last()
                .is_some_and(|entry| !entry["httpRequest"].is_null())
        });
        entries
    }
}

impl Host {
    /// Lets files of this process grow to `bytes` and no further, or again as far as there is room.
    #[track_caller]
    pub fn limit_files(&self, bytes: Option<u64>) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(pid, Resource::Fsize, limit).expect("limits can be set");
    }
}
