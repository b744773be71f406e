//! Hosts whose log lies on a disk of its own, with little room.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Host, HostBuilder, State};

/// Gives a command a view of the file system of its own, in which it may mount.
const OWN_VIEW: [&str; 2] = ["unshare", "--mount"];

impl State {
    /// Makes the directory of the log, for its owner only, as the host does.
    #[track_caller]
    pub fn make_log_directory(&self) -> PathBuf {
        let directory = self.log_directory();
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory);
        made.unwrap_or_else(|error| panic!("cannot make {}: {error}", directory.display()));
        directory
    }

    /// The same state as the process of `host` sees it, which may have mounted something there.
    pub fn seen_by(&self, host: &Host) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", host.pid()));
        let path = self.path();
        root.join(path.strip_prefix("/").unwrap_or(&path))
    }
}

/// Whether this machine lets a process mount a file system that nobody else sees.
pub fn can_mount() -> bool {
    let mounted = Command::new(OWN_VIEW[0])
        .args([OWN_VIEW[1], "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    mounted.is_ok_and(|status| status.success())
}

impl HostBuilder {
    /// Runs it with a file system of `kibibytes` in the place of the directory of the log of `state`. Others do not see
    /// it there; [`State::seen_by`] tells where they do.
    #[track_caller]
    #[must_use]
    pub fn with_small_log_disk(self, state: &State, kibibytes: u32) -> Self {
        let directory = state.make_log_directory();
        let mount = format!(
            "mount -t tmpfs -o size={kibibytes}k,mode=700 tmpfs '{}' || exit",
            directory.display()
        );
        self.in_shell(&mount, "").under(&OWN_VIEW)
    }
}
