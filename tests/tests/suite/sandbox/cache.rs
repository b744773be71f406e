//! Compiled components are kept, and only what is sound is used again.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tests::{Directory, Host, HostBuilder};

/// Each block of `ulimit -f` has 512 bytes (POSIX). This is more than what the engine writes elsewhere and less than
/// the compiled greeting.
const SMALL_FILES: &str = "ulimit -f 128";

fn hello(state: &Path) -> HostBuilder {
    Host::serve("hello").arg("--state-dir").arg(state)
}

#[track_caller]
fn assert_serves(host: &Host) {
    let reply = host.post("/", r#"{"name": "Ada"}"#);
    assert_eq!((reply.status, reply.text()), (200, "Hello Ada!"));
}

/// The files in the cache, by the end of their names.
fn kept(state: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(state.join("compiled")) else {
        return Vec::new();
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// Serves once, so that the compiled greeting is kept, and returns its file.
#[track_caller]
fn fill(state: &Path) -> PathBuf {
    assert_serves(&hello(state).start());
    match kept(state, "cwasm").as_slice() {
        [file] => file.clone(),
        files => panic!("one component is kept: {files:?}"),
    }
}

/// What tells whether a file was replaced.
fn identity(file: &Path) -> (u64, i64, i64) {
    let metadata = fs::metadata(file).expect("it is there");
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o777
}

#[test]
fn what_is_kept_is_its_owners_alone() {
    let directory = Directory::new();
    let file = fill(directory.path());
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&directory.path().join("compiled")), 0o700);
    assert_eq!(kept(directory.path(), "partial"), Vec::<PathBuf>::new());
}

#[test]
fn the_state_directory_is_made_for_its_owner_alone() {
    let directory = Directory::new();
    let state = directory.path().join("not/yet/there");
    fill(&state);
    assert_eq!(mode(&state), 0o700);
}

#[test]
fn the_second_start_uses_what_the_first_compiled() {
    let directory = Directory::new();
    let file = fill(directory.path());
    let before = identity(&file);
    assert_serves(&hello(directory.path()).start());
    assert_eq!(identity(&file), before);
}

#[test]
fn what_is_kept_is_mapped_and_not_copied_into_memory() {
    let directory = Directory::new();
    for start in ["the one that compiles", "one that finds it compiled"] {
        let host = hello(directory.path()).start();
        assert_serves(&host);
        let maps = fs::read_to_string(format!("/proc/{}/maps", host.pid()));
        let maps = maps.expect("the system tells what is mapped");
        let file = &kept(directory.path(), "cwasm")[0];
        assert!(maps.contains(&*file.to_string_lossy()), "{start}: {maps}");
    }
}

#[test]
fn another_component_is_kept_beside_it() {
    let directory = Directory::new();
    fill(directory.path());
    let other = Host::serve("echoes")
        .arg("--state-dir")
        .arg(directory.path())
        .start();
    assert_eq!(other.post("/", "echo").text(), "echo");
    assert_eq!(kept(directory.path(), "cwasm").len(), 2);
}

#[test]
fn a_damaged_file_is_compiled_again_and_replaced() {
    let directory = Directory::new();
    let file = fill(directory.path());
    let sound = fs::read(&file).expect("it can be read");
    let damage: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.truncate(0),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes[3] ^= 1,
        |bytes| *bytes.last_mut().expect("it is not empty") ^= 1,
        |bytes| bytes.fill(b'x'),
    ];
    for (number, damage) in damage.into_iter().enumerate() {
        let mut bytes = sound.clone();
        damage(&mut bytes);
        fs::write(&file, bytes).expect("it can be written");
        let damaged = identity(&file);
        assert_serves(&hello(directory.path()).start());
        assert_ne!(identity(&file), damaged, "damage {number}");
        let replaced = identity(&file);
        assert_serves(&hello(directory.path()).start());
        assert_eq!(
            identity(&file),
            replaced,
            "what replaced damage {number} is sound"
        );
    }
}

#[test]
fn a_file_that_others_can_write_is_compiled_again_and_replaced() {
    let directory = Directory::new();
    let file = fill(directory.path());
    fs::set_permissions(&file, Permissions::from_mode(0o666)).expect("it is ours");
    let before = identity(&file);
    assert_serves(&hello(directory.path()).start());
    assert_ne!(identity(&file), before);
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn a_directory_that_others_can_write_is_not_used_and_serving_goes_on() {
    let directory = Directory::new();
    let compiled = directory.path().join("compiled");
    fs::create_dir(&compiled).expect("the directory can be written");
    fs::set_permissions(&compiled, Permissions::from_mode(0o777)).expect("it is ours");
    let host = hello(directory.path()).start();
    assert_serves(&host);
    let warning = host.wait_for_stderr(|line| line.starts_with("warning: "));
    assert!(warning.contains(&*compiled.to_string_lossy()), "{warning}");
    assert!(warning.contains("can be written by others"), "{warning}");
    assert_eq!(kept(directory.path(), "cwasm"), Vec::<PathBuf>::new());
}

#[test]
fn a_state_directory_that_cannot_be_made_costs_a_warning() {
    let directory = Directory::new();
    let file = directory.path().join("file");
    fs::write(&file, "").expect("the directory can be written");
    let host = hello(&file.join("state")).start();
    assert_serves(&host);
    host.wait_for_stderr(|line| line.starts_with("warning: compiled components are not kept: "));
}

/// A file-size limit stands for the full disk: a write fails in the middle of the file.
#[test]
fn a_full_disk_costs_the_cache_and_nothing_else() {
    let directory = Directory::new();
    for _ in 0..2 {
        let host = hello(directory.path()).in_shell(SMALL_FILES, "");
        assert_serves(&host.start());
        assert_eq!(kept(directory.path(), "cwasm"), Vec::<PathBuf>::new());
        assert_eq!(kept(directory.path(), "partial"), Vec::<PathBuf>::new());
    }
    fill(directory.path());
}

#[test]
fn what_a_host_had_written_when_it_was_killed_is_not_loaded() {
    let directory = Directory::new();
    let file = fill(directory.path());
    let whole = fs::read(&file).expect("it can be read");
    fs::remove_file(&file).expect("it is there");
    let half = file.with_extension("0123456789abcdef.partial");
    fs::write(&half, &whole[..whole.len() / 2]).expect("it can be written");
    assert_eq!(fill(directory.path()), file);
    let again = fs::read(&file).expect("it can be read");
    assert_eq!(again.len(), whole.len());
}

#[test]
fn hosts_that_start_at_once_share_the_cache() {
    let directory = Directory::new();
    let hosts: Vec<Host> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| hello(directory.path()).start()))
            .collect();
        let start =
            |start: std::thread::ScopedJoinHandle<'_, Host>| start.join().expect("it starts");
        starts.into_iter().map(start).collect()
    });
    for host in &hosts {
        assert_serves(host);
    }
    assert_eq!(kept(directory.path(), "cwasm").len(), 1);
    assert_eq!(kept(directory.path(), "partial"), Vec::<PathBuf>::new());
}
