//! `host quickstart` leaves a private function that a job calls, however often it is run.

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
            "$ host functions deploy hello_world",
            "\n401\n",
            "$ host scheduler jobs run my-hourly-job",
            "Hello quickstart!",
            "Hello Scheduler!",
            "status=OK",
            "Done.",
        ] {
            assert!(said.contains(word), "round {round}: {word}: {output:?}");
        }
    }
    assert_eq!(host.get("/hello_world").status, 401);
    assert_eq!(state.names(), ["hello_world"]);
    assert_eq!(state.job("my-hourly-job")["schedule"], "0 * * * *");
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
