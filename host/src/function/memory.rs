//! How much memory this process may count on.

use std::fs;

const LEAST_TO_COMPILE: u64 = 400 << 20;
const MOST_TO_COMPILE: u64 = 2 << 30;

/// Assumed where the system does not tell.
const FALLBACK: u64 = 4 << 30;

/// Bytes of memory of this machine, or of this container if it has less.
pub(super) fn available() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total(&text))
        .unwrap_or(FALLBACK);
    let container = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok())
    .min();
    machine.min(container.unwrap_or(u64::MAX))
}

/// Bytes that compiling a component may take, if nothing else is said: half of what there is, but what a large interpreter
/// needs at the least.
pub(super) fn to_compile() -> u64 {
    (available() / 2).clamp(LEAST_TO_COMPILE, MOST_TO_COMPILE)
}

/// The figure of `MemTotal` in the text of `/proc/meminfo` (proc_meminfo(5)), in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_meminfo() {
        let text = "MemTotal:       24580000 kB\nMemFree:        1 kB\n";
        assert_eq!(total(text), Some(24_580_000 * 1024));
        assert_eq!(total("nothing of the kind"), None);
    }
}
