//! What a serving host does on its own: it tries again, reads secrets again, takes rights away, and tells of its store.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::OFlags;
use tests::served::{ACCOUNT, ROLE, Served, succeeded};
use tests::{Host, Signal, State, wait_until};

/// A function that shows its environment, with the secret `text`, which is in the file that is given back.
fn deploy_with_secret(state: &State, name: &str, text: &str) -> PathBuf {
    let file = state.file("secret", text);
    let flag = format!("--set-secrets=KEY={}", file.display());
    state.deploy(name, "tries_files", &[&flag]);
    file
}

fn has_secret(host: &Host, name: &str, text: &str) -> bool {
    let reply = host.get(&format!("/{name}"));
    reply.status == 200 && reply.text().contains(&format!("variable: KEY={text}\n"))
}

#[test]
fn a_function_that_could_not_be_loaded_is_tried_again() {
    let state = State::new();
    let file = deploy_with_secret(&state, "f", "one");
    fs::remove_file(&file).expect("it is there");
    let host = state.serve().start();
    assert_eq!(host.get("/f").status, 404);
    fs::write(&file, "two").expect("it can be written");
    wait_until("it is served", || has_secret(&host, "f", "two"));
    // The store hears of it a moment later.
    wait_until("it is said to be", || {
        state.describe("f")["state"] == "ACTIVE" && host.control_plane("/readyz").status == 200
    });
}

#[test]
fn a_secret_that_changed_is_taken_up_after_a_hang_up() {
    let state = State::new();
    let file = deploy_with_secret(&state, "f", "one");
    let host = state.serve().start();
    assert!(has_secret(&host, "f", "one"));
    fs::write(&file, "two").expect("it can be written");
    host.signal(Signal::Hup);
    wait_until("the new one is used", || has_secret(&host, "f", "two"));
}

/// The pipe at `file`, to write into it, if somebody reads from it.
fn open_read_pipe(file: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    options.write(true).custom_flags(no_wait).open(file).ok()
}

/// A pipe into which nobody writes takes the place of a component that takes long to compile.
#[test]
fn a_right_is_gone_while_another_function_is_loaded() {
    let served = Served::start();
    let token = served.token();
    let file = deploy_with_secret(&served.state, "slow", "one");
    assert_eq!(served.status(&token), 200);
    fs::remove_file(&file).expect("it is there");
    let made = Command::new("mkfifo").arg(&file).status();
    assert!(made.is_ok_and(|status| status.success()), "no pipe");
    served.host.signal(Signal::Hup);
    let mut pipe = None;
    wait_until("the host reads the secret", || {
        pipe = open_read_pipe(&file);
        pipe.is_some()
    });
    let remove =
        format!("functions remove-iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}");
    let removing = served
        .state
        .command(remove.split_whitespace())
        .start_unannounced();
    wait_until("the right is gone", || served.status(&token) == 403);
    served.state.delete("echoes");
    assert_eq!(served.status(&token), 404, "nor is a deletion put off");
    drop(pipe);
    drop(removing);
}

#[test]
fn a_deleted_function_is_gone_when_the_command_ends() {
    let state = State::new();
    let host = state.serve().start();
    for _ in 0..5 {
        state.deploy("f", "hello", &[]);
        assert_eq!(host.post("/f", "{}").status, 200);
        state.delete("f");
        assert_eq!(host.post("/f", "{}").status, 404);
    }
}

#[test]
fn a_host_whose_database_was_replaced_is_not_ready() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let host = state.serve().start();
    assert_eq!(host.control_plane("/readyz").status, 200);
    fs::remove_file(state.database()).expect("it is there");
    wait_until("the host is not ready", || {
        host.control_plane("/readyz").status == 503
    });
    let reply = host.control_plane("/readyz");
    let told = reply.text();
    assert!(told.contains("was removed or replaced"), "{told}");
    assert_eq!(host.post("/f", "{}").status, 200, "it goes on serving");
}

#[test]
fn a_private_component_alone_serves_no_functions_and_commands_know() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    succeeded(state.run("iam service-accounts create caller"));
    let host = state
        .serve()
        .arg(tests::guest("echoes"))
        .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
        .start();
    let deployed = state.deploy("f", "hello", &[]);
    assert!(deployed.stderr.contains("--with-functions"), "{deployed:?}");
    assert_eq!(deployed.stdout, "url: http://127.0.0.1:8080/f\n");
    assert_eq!(state.describe("f")["state"], "NOT SERVED");
    succeeded(state.run(&format!(
        "functions add-iam-policy-binding f --member {ACCOUNT} --role {ROLE}"
    )));
    let called = state.functions(["call", "f"]).run();
    assert_eq!((called.code, &*called.stdout), (Some(1), ""), "{called:?}");
    assert!(called.stderr.contains("--with-functions"), "{called:?}");
    let counted = "host_executions_total{function=\"echoes\",outcome=\"success\"}";
    assert_eq!(host.metric(counted), 0.0, "the component was not called");
    let scrape = host.control_plane("/metrics");
    let mut refused = scrape.text().lines();
    let refusals = "host_requests_refused_total{function=\"echoes\"";
    assert!(refused.all(|line| !line.starts_with(refusals) || line.ends_with(" 0")));
    state.delete("f");
}

#[test]
fn a_component_and_a_function_beside_it_do_not_go_by_one_name() {
    let state = State::new();
    state.deploy("echoes", "hello", &[]);
    let serve = || {
        let component = state.serve().arg(tests::guest("echoes"));
        component.arg("--with-functions")
    };
    let refused = serve().run();
    assert_eq!((refused.code, &*refused.stdout), (Some(1), ""));
    assert!(refused.stderr.contains("--name"), "{}", refused.stderr);
    assert_eq!(refused.errors().lines().count(), 1, "{}", refused.stderr);
    let host = serve().arg("--name=other").start();
    assert_eq!(host.post("/echoes", "{}").text(), "Hello World!");
    let later = state
        .functions(["deploy", "other", "--allow-unauthenticated", "--source"])
        .arg(tests::guest("hello"))
        .run();
    assert_eq!(later.code, Some(1), "{later:?}");
    assert!(later.stderr.contains("same name"), "{}", later.stderr);
    assert_eq!(host.post("/other", "echo").text(), "echo");
    let scrape = host.control_plane("/metrics");
    let series = "host_instances_limit{function=\"other\"}";
    assert_eq!(scrape.text().matches(series).count(), 1);
}
