//! How much memory this process may count on.

use std::fs;
use std::path::{Path, PathBuf};

const LEAST_TO_COMPILE: u64 = 400 << 20;
const MOST_TO_COMPILE: u64 = 2 << 30;

/// Assumed where the system does not tell.
const FALLBACK: u64 = 4 << 30;

/// Bytes of memory of this machine, or of the control groups that this process is in if they have less (cgroups(7)).
pub fn available() -> u64 {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let machine = total(&read("/proc/meminfo")).unwrap_or(FALLBACK);
    let groups = Hierarchy::all(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    let limits = groups.iter().filter_map(Hierarchy::limit);
    limits.fold(machine, u64::min)
}

/// Bytes that compiling a component may take, if nothing else is said: half of what there is, but what a large interpreter
/// needs at the least.
pub(crate) fn to_compile() -> u64 {
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

/// Where one hierarchy of control groups is seen, and this process in it.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    /// The group of this process, at or below `mount`.
    group: PathBuf,
    /// The file that has a group's limit.
    file: &'static str,
}

impl Hierarchy {
    /// Those that bound memory: version 2, and the one of version 1 that has the controller `memory`.
    fn all(cgroup: &str, mountinfo: &str) -> Vec<Self> {
        let mounts = mountinfo.lines().filter_map(Mount::parse);
        let of_mount = |mount: Mount| {
            let file = mount.limit_file()?;
            let group = cgroup.lines().find_map(|line| mount.path_in(line))?;
            Some(Self {
                group: mount.place_of(group),
                mount: mount.point,
                file,
            })
        };
        mounts.filter_map(of_mount).collect()
    }

    /// The lowest limit of the group and of all above it.
    fn limit(&self) -> Option<u64> {
        let groups = self.group.ancestors();
        let seen = groups.take_while(|group| group.starts_with(&self.mount));
        let limits = seen.filter_map(|group| {
            let text = fs::read_to_string(group.join(self.file)).ok()?;
            // `max` is no limit.
            text.trim().parse().ok()
        });
        limits.min()
    }
}

/// A file system of control groups (proc_pid_mountinfo(5)).
struct Mount {
    /// The group that is seen at the mount point.
    root: String,
    point: PathBuf,
    is_unified: bool,
    has_memory: bool,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut system = system.split(' ');
        let kind = system.next()?;
        let options = system.next_back()?;
        let is_unified = kind == "cgroup2";
        (is_unified || kind == "cgroup").then(|| Self {
            root: plain(root),
            point: plain(point).into(),
            is_unified,
            has_memory: options.split(',').any(|option| option == "memory"),
        })
    }

    fn limit_file(&self) -> Option<&'static str> {
        match (self.is_unified, self.has_memory) {
            (true, _) => Some("memory.max"),
            (false, true) => Some("memory.limit_in_bytes"),
            (false, false) => None,
        }
    }

    /// The group that `line` of `/proc/self/cgroup` names, if it is of this hierarchy.
    fn path_in<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let is_of_this = match self.is_unified {
            true => controllers.is_empty(),
            false => controllers.split(',').any(|name| name == "memory"),
        };
        is_of_this.then_some(path)
    }

    /// Where `group` is seen. One that is not below what is mounted is in no place that this process sees.
    fn place_of(&self, group: &str) -> PathBuf {
        let root = Path::new(&self.root);
        let below = Path::new(group).strip_prefix(root);
        // One that is above the root of this process's own view is written with `..`.
        let below = below
            .ok()
            .filter(|below| !below.iter().any(|part| part == ".."));
        let parts = below.into_iter().flatten();
        parts.fold(self.point.clone(), |place, part| place.join(part))
    }
}

/// A path as it is: the kernel writes spaces and backslashes in it as octal numbers.
fn plain(path: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n")];
    let path = escapes
        .iter()
        .fold(path.to_owned(), |path, (escape, byte)| {
            path.replace(escape, byte)
        });
    path.replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFIED: &str =
        "25 1 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";

    fn places(cgroup: &str, mountinfo: &str) -> Vec<(String, &'static str)> {
        let found = Hierarchy::all(cgroup, mountinfo).into_iter();
        found
            .map(|found| (found.group.to_str().unwrap().to_owned(), found.file))
            .collect()
    }

    #[test]
    fn the_total_is_read_from_meminfo() {
        let text = "MemTotal:       24580000 kB\nMemFree:        1 kB\n";
        assert_eq!(total(text), Some(24_580_000 * 1024));
        assert_eq!(total("nothing of the kind"), None);
    }

    #[test]
    fn a_service_of_systemd_is_in_a_group_of_its_own() {
        let found = places("0::/system.slice/host.service\n", UNIFIED);
        let group = "/sys/fs/cgroup/system.slice/host.service".to_owned();
        assert_eq!(found, [(group, "memory.max")]);
    }

    #[test]
    fn version_one_is_found_beside_version_two() {
        let mountinfo = "\
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let found = places("4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/d\n", mountinfo);
        let expected = [
            (
                "/sys/fs/cgroup/memory/a/b".to_owned(),
                "memory.limit_in_bytes",
            ),
            ("/sys/fs/cgroup/unified/d".to_owned(), "memory.max"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_mount_point() {
        let mountinfo = "9 8 0:32 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let at_root = "/sys/fs/cgroup/memory".to_owned();
        let file = "memory.limit_in_bytes";
        assert_eq!(
            places("4:memory:/docker/1f", mountinfo),
            [(at_root.clone(), file)]
        );
        assert_eq!(places("4:memory:/elsewhere", mountinfo), [(at_root, file)]);
        let outside = places("0::/../../other", UNIFIED);
        assert_eq!(outside, [("/sys/fs/cgroup".to_owned(), "memory.max")]);
    }

    #[test]
    fn the_lowest_limit_of_all_levels_counts() {
        let directory = tempfile::tempdir().unwrap();
        let mount = directory.path();
        let group = mount.join("slice/service");
        fs::create_dir_all(&group).unwrap();
        let hierarchy = Hierarchy {
            mount: mount.to_owned(),
            group: group.clone(),
            file: "memory.max",
        };
        assert_eq!(hierarchy.limit(), None);
        fs::write(group.join("memory.max"), "max\n").unwrap();
        fs::write(mount.join("slice/memory.max"), "1000\n").unwrap();
        fs::write(mount.join("memory.max"), "2000\n").unwrap();
        assert_eq!(hierarchy.limit(), Some(1000));
        fs::write(group.join("memory.max"), "500\n").unwrap();
        assert_eq!(hierarchy.limit(), Some(500));
    }
}
