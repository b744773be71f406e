//! A backup made while a host serves is the whole state of one moment, and a new host goes on with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use tests::served::{Served, assert_fails, succeeded};
use tests::{PATIENCE, Signal, State};

#[test]
fn a_backup_that_was_made_while_serving_is_a_host_of_its_own() {
    let served = Served::start();
    let token = served.token();
    let backup = served.state.beside().join("backup");
    let name = backup.display();
    thread::scope(|scope| {
        // Others change the store meanwhile.
        let deploying = scope.spawn(|| {
            for number in 0..5 {
                served.state.deploy(&format!("f{number}"), "hello", &[]);
            }
        });
        let made = served.run(&format!("state backup {name}"));
        assert_eq!(made.code, Some(0), "{made:?}");
        assert!(made.stderr.contains("private keys"), "{made:?}");
        deploying.join().unwrap();
    });
    let mode = fs::metadata(&backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let issuer = format!("http://{}", served.host.admin_addr());
    let url = format!("http://{}", served.host.addr());
    served.host.signal(Signal::Term);
    served.host.wait(PATIENCE);
    let other = State::new();
    succeeded(other.run(&format!("state restore {name}")));
    assert!(other.names().contains(&"echoes".to_owned()));
    let host = other
        .serve()
        .arg(format!("--issuer-url={issuer}"))
        .arg(format!("--public-url={url}"))
        .start();
    assert_eq!(
        host.get_with("/echoes/headers", &token).status,
        200,
        "keys, accounts and policy are there"
    );
    assert_eq!(host.get("/echoes").status, 401);
}

#[test]
fn revocations_that_are_newer_than_a_backup_are_kept_if_asked_for_and_missed_if_not() {
    let served = Served::start();
    let token = served.token();
    let backup = served.state.beside().join("backup");
    let name = backup.display();
    succeeded(served.run(&format!("state backup {name}")));
    succeeded(served.run("auth revoke --subject caller@host.internal"));
    let jti = "auth revoke --token-id \u{1b}[2Jx --issuer https://id.example";
    succeeded(served.run(jti));
    let flags = [
        format!("--issuer-url=http://{}", served.host.admin_addr()),
        format!("--public-url=http://{}", served.host.addr()),
    ];
    served.host.signal(Signal::Term);
    served.host.wait(PATIENCE);
    let before = served.state.path().display().to_string();
    // The state that is used where no flag names one is looked at.
    let forgetful = State::new();
    let restore = format!(
        "state restore {name} --state-dir {}",
        forgetful.path().display()
    );
    let told = served.state.run(&restore);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("--keep-revocations-of"), "{told:?}");
    assert!(
        told.stderr.contains("of this host's own issuer, revoked 2"),
        "{told:?}"
    );
    assert!(
        told.stderr.contains("[\\x1b[2Jx] of https://id.example"),
        "{told:?}"
    );
    let host = forgetful.serve().args(&flags).start();
    assert_eq!(host.get_with("/echoes/headers", &token).status, 200);
    let mindful = State::new();
    let told = mindful.run(&format!(
        "state restore {name} --keep-revocations-of {before}"
    ));
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("Kept 2 revocations"), "{told:?}");
    let host = mindful.serve().args(&flags).start();
    assert_eq!(host.get_with("/echoes/headers", &token).status, 401);
    let none = State::new();
    let refused = none.run(&format!(
        "state restore {name} --keep-revocations-of /no/such/state"
    ));
    assert_fails(&refused, 1, "nothing was restored");
    assert!(!none.database().exists());
}

#[test]
fn what_is_no_backup_is_not_restored_and_nothing_is_overwritten() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let backup = state.beside().join("backup");
    let name = backup.display();
    succeeded(state.run(&format!("state backup {name}")));
    assert_fails(
        &state.run(&format!("state backup {name}")),
        1,
        "there is a file",
    );
    assert_fails(
        &state.run(&format!("state restore {name}")),
        1,
        "there is a store in",
    );
    let restore = |file: &str| {
        let other = State::new();
        let refused = other.run(&format!("state restore {file}"));
        assert!(!other.database().exists(), "{refused:?}");
        refused
    };
    let whole = fs::read(&backup).unwrap();
    let cut = state.file("cut", &whole[..whole.len() / 2]);
    assert_fails(
        &restore(&cut.display().to_string()),
        1,
        "is not a whole backup",
    );
    let garbage = state.file("garbage", "not a database".repeat(100));
    assert_fails(
        &restore(&garbage.display().to_string()),
        1,
        "is not a whole backup",
    );
    let directory = state.beside().display().to_string();
    assert_fails(&restore(&directory), 1, "it is no file");
    let empty = state.file("empty", "");
    assert_fails(
        &restore(&empty.display().to_string()),
        1,
        "is not a whole backup",
    );
    let missing = state.beside().join("missing");
    assert_fails(&restore(&missing.display().to_string()), 1, "No such file");
    let none = State::new();
    let unmade = none.run(&format!("state backup {}", missing.display()));
    assert_fails(&unmade, 1, "there is no store in");
    assert!(!missing.exists() && !none.path().exists());
    let nowhere = state.run("state backup /no/such/directory/backup");
    assert_fails(&nowhere, 1, "No such file");
}
