//! `host quickstart` leaves a private function that a job calls, however often it is run.

use std::net::TcpListener;

use tests::{Host, Output, State, guest};

fn quickstart(state: &State, flags: &[&str]) -> Output {
    state
        .command(["quickstart"])
        .arg(guest("hello"))
        .args(flags)
        .run()
}

#[test]
fn it_makes_a_private_scheduled_function_and_can_be_run_twice() {
    let state = State::new();
    let host = state.serve().start();
    for round in 1..=2 {
        let output = quickstart(&state, &["--yes"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        let said = &output.stdout;
        for word in [
            "$ host functions deploy quickstart_hello",
            "\n401\n",
            "$ host scheduler jobs run quickstart-hourly",
            "Hello quickstart!",
            "Hello Scheduler!",
            "status=OK",
            "Done.",
        ] {
            assert!(said.contains(word), "round {round}: {word}: {output:?}");
        }
    }
    assert_eq!(host.get("/quickstart_hello").status, 401);
    assert_eq!(state.names(), ["quickstart_hello"]);
    assert_eq!(state.job("quickstart-hourly")["schedule"], "0 * * * *");
}

#[test]
fn it_asks_only_where_somebody_can_answer_and_names_what_is_missing() {
    let state = State::new();
    let unasked = quickstart(&state, &[]);
    assert_eq!(unasked.code, Some(1), "{unasked:?}");
    assert!(unasked.stderr.contains("--yes"), "{unasked:?}");
    assert!(state.names().is_empty());
    let missing = Host::command(["quickstart", "--yes", "no-such.wasm"]).run();
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("no-such.wasm"), "{missing:?}");
}

#[test]
fn on_a_terminal_each_step_waits_for_the_reader() {
    let state = State::new();
    let _host = state.serve().start();
    let on_terminal = |typed: &str| {
        let command = state.command(["quickstart"]).arg(guest("hello"));
        command.run_on_terminal(typed)
    };
    // Ctrl-D.
    let stopped = on_terminal("\n\u{4}");
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(
        stopped.stdout.contains("what was done so far stays"),
        "{stopped:?}"
    );
    assert_eq!(state.names(), ["quickstart_hello"]);
    let whole = on_terminal(&"\n".repeat(10));
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert!(whole.stdout.contains("Press Enter to go on"), "{whole:?}");
    assert!(whole.stdout.contains("Done."), "{whole:?}");
}

#[test]
fn a_function_that_it_did_not_make_is_left_alone() {
    let state = State::new();
    let _host = state.serve().start();
    state.deploy("quickstart_hello", "echoes", &[]);
    let before = state.describe("quickstart_hello");
    let refused = quickstart(&state, &["--yes"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("did not make"), "{refused:?}");
    assert_eq!(state.describe("quickstart_hello"), before);
}

#[test]
fn commands_are_shown_with_the_state_that_they_need() {
    let state = State::new();
    let _host = state.serve().start();
    let output = Host::command(["quickstart", "--yes", "--state-dir"])
        .arg(state.path())
        .arg(guest("hello"))
        .run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let shown = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("$ host "));
    for command in shown {
        assert!(command.contains(" --state-dir /"), "{command}");
    }
}

#[test]
fn an_address_that_is_taken_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let addr = taken.local_addr().expect("it has an address");
    let output = State::new()
        .command(["quickstart", "--yes"])
        .arg(guest("hello"))
        .env("PORT", addr.port().to_string())
        .run();
    assert_eq!(output.code, Some(1), "{output:?}");
    for word in [
        addr.to_string().as_str(),
        "--admin-addr",
        "in another terminal",
    ] {
        assert!(output.stderr.contains(word), "{word}: {output:?}");
    }
}
