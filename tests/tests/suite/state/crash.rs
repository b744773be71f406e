//! What a command has acknowledged is on disk, and a process that is killed leaves nothing half done.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tests::{FREE_PORTS, Host, Output, PATIENCE, Signal, State, guest, host_binary};

/// How often something is killed.
const ROUNDS: u64 = 40;

/// Moments that differ from round to round, up to `longest`, the same in each run.
fn moment(round: u64, longest: Duration) -> Duration {
    // A multiplicative generator (Lehmer's); any spread does.
    let spread = (round + 1).wrapping_mul(48_271) % 1_000;
    longest.mul_f64(spread as f64 / 1_000.0)
}

/// How often `name` was deployed, of which the store must know at least as much.
#[track_caller]
fn assert_nothing_is_lost(state: &State, acknowledged: &BTreeMap<String, u64>) {
    let names = state.names();
    for (name, revision) in acknowledged {
        assert!(names.contains(name), "{name} is lost");
        let kept = state.describe(name)["revision"].as_u64();
        assert!(kept >= Some(*revision), "{name}: {kept:?} < {revision}");
    }
}

/// The revision of `name` that a command said is deployed, if it came to that, whatever became of it then.
fn acknowledged_by(output: &Output, name: &str) -> Option<u64> {
    let line = |line: &str| {
        let rest = line.strip_prefix("Deployed revision ")?;
        let revision = rest.strip_suffix(&format!(" of [{name}]."))?;
        revision.parse().ok()
    };
    output.stderr.lines().find_map(line)
}

/// That the database is sound: a backup of it is restored only if each of its pages is.
#[track_caller]
fn assert_sound(state: &State) {
    let backup = state.beside().join("sound");
    let backed_up = state.command(["state", "backup"]).arg(&backup).run();
    assert_eq!(backed_up.code, Some(0), "{backed_up:?}");
    let other = State::new();
    let restored = other.command(["state", "restore"]).arg(&backup).run();
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(other.names(), state.names());
    fs::remove_file(backup).expect("it is there");
}

#[test]
fn a_deployment_that_is_killed_is_done_or_not_done() {
    let state = State::new();
    let mut acknowledged = BTreeMap::new();
    state.deploy("f0", "hello", &[]);
    for round in 0..ROUNDS {
        let name = format!("f{}", round % 5);
        let source = ["hello", "echoes"][round as usize % 2];
        let output = state
            .functions(["deploy", &name, "--allow-unauthenticated", "--source"])
            .arg(guest(source))
            .run_for(moment(round, Duration::from_millis(400)));
        if let Some(revision) = acknowledged_by(&output, &name) {
            acknowledged.insert(name, revision);
        }
        assert_nothing_is_lost(&state, &acknowledged);
    }
    assert_sound(&state);
    assert!(!acknowledged.is_empty(), "no deployment came to its end");
    let host = state.serve().start();
    for name in state.names() {
        assert_eq!(host.post(&format!("/{name}"), "{}").status, 200, "{name}");
    }
}

#[test]
fn a_host_that_is_killed_while_functions_are_deployed_loses_nothing() {
    let state = State::new();
    let mut acknowledged = BTreeMap::new();
    for round in 0..ROUNDS / 2 {
        let host = state.serve().start();
        let name = format!("f{}", round % 3);
        let deploy = state
            .functions(["deploy", &name, "--allow-unauthenticated", "--source"])
            .arg(guest(["hello", "echoes"][round as usize % 2]))
            .arg(format!("--set-env-vars=ROUND={round}"));
        let deployed = thread::scope(|scope| {
            let deployed = scope.spawn(|| deploy.run());
            // Any moment of it will do, and there is no event for each.
            thread::sleep(moment(round, Duration::from_millis(200)));
            host.signal(Signal::Kill);
            host.wait(PATIENCE);
            deployed.join().expect("the command ends")
        });
        let revision = acknowledged_by(&deployed, &name);
        // Without a host there is nobody to wait for.
        assert_eq!(
            (deployed.code, revision.is_some()),
            (Some(0), true),
            "{deployed:?}"
        );
        acknowledged.extend(revision.map(|revision| (name.clone(), revision)));
        assert_nothing_is_lost(&state, &acknowledged);
        let round_kept = &state.describe(&name)["environmentVariables"]["ROUND"];
        assert_eq!(*round_kept, round.to_string());
        assert_sound(&state);
    }
    let host = state.serve().start();
    for name in state.names() {
        assert_eq!(host.post(&format!("/{name}"), "{}").status, 200, "{name}");
    }
}

#[test]
fn one_host_serves_from_a_store_at_a_time() {
    let state = State::new();
    let host = state.serve().start();
    let output = state.serve().run();
    assert_eq!((output.code, &*output.stdout), (Some(1), ""));
    let expected = format!("error: process {} serves from ", host.pid());
    assert!(output.stderr.starts_with(&expected), "{}", output.stderr);
    host.signal(Signal::Kill);
    host.wait(PATIENCE);
    state.serve().start();
}

#[test]
fn a_full_disk_is_told_and_leaves_the_store_as_it_was() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let before = state.describe("f");
    // No file may grow beyond what is there already, in blocks of 512 bytes (POSIX, ulimit).
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -f 8; exec \"$@\"", "sh"])
        .arg(host_binary())
        .args(["functions", "deploy", "f", "--source"])
        .arg(guest("echoes"))
        .env("HOST_STATE_DIR", state.path());
    let output = command.output().expect("there is a shell");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("error: ")),
        "{stderr}"
    );
    assert_eq!(state.describe("f"), before);
    state.deploy("f", "echoes", &[]);
}

/// Neither alone, where nobody else holds what processes share, nor beside a host.
#[test]
fn a_full_disk_hides_nothing() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let look = || {
        for command in [["list", "--format=json"], ["describe", "f"]] {
            let full = "ulimit -f 0";
            let output = state.functions(command).in_shell(full, "").run();
            assert_eq!(output.code, Some(0), "{output:?}");
            assert!(output.stdout.contains("componentSha256"), "{output:?}");
        }
    };
    look();
    let _host = state.serve().start();
    look();
}

#[test]
fn a_store_that_cannot_be_used_is_one_line() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let refuse = |expected: &str| {
        for command in [
            &["functions", "list"][..],
            &[&["serve"][..], &FREE_PORTS].concat()[..],
        ] {
            let output = state.command(command).run();
            assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
            assert!(output.stderr.contains(expected), "{}", output.stderr);
            assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        }
    };
    let whole = fs::read(state.database()).expect("it can be read");
    fs::write(state.database(), "no database at all ".repeat(300)).expect("it can be written");
    refuse("is not a store of this program");
    fs::write(state.database(), whole).expect("it can be written");
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
    refuse("expected a directory of one's own (mode 700)");
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
    assert_eq!(state.names(), ["f"]);
}

#[test]
fn a_state_directory_that_is_a_file_is_one_line() {
    let state = State::new();
    let file = state.file("state", "");
    let output = Host::command(["functions", "list"])
        .env("HOST_STATE_DIR", &file)
        .run();
    assert_eq!((output.code, &*output.stdout), (Some(1), ""));
    assert!(
        output.stderr.starts_with("error: the state directory "),
        "{}",
        output.stderr
    );
}
