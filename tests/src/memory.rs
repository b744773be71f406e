//! How much memory a host holds.

use std::fs;

use crate::Host;

/// One mebibyte.
pub const MIB: u64 = 1024 * 1024;

impl Host {
    /// Its resident memory at this moment, in bytes: `VmRSS` of proc_pid_status(5).
    #[track_caller]
    pub fn resident_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes =
            line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        match kibibytes {
            Some(kibibytes) => kibibytes * 1024,
            None => panic!("{path} names no VmRSS"),
        }
    }
}
