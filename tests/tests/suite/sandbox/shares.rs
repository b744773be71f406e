//! What one function may have of what all share, and what a component may be made of.

use tests::{Host, State, Wire, guest, wait_until};

/// Functions of the store on one worker with this many executions in all.
#[track_caller]
fn serve(state: &State, flags: &[&str]) -> Host {
    state.serve().arg("--workers=1").args(flags).start()
}

#[track_caller]
fn begin(host: &Host, path: &str) -> Wire {
    let mut wire = host.connect();
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    wire
}

#[test]
fn a_component_with_more_parts_than_an_execution_may_hold_is_refused_before_it_is_loaded() {
    let file = guest("has_many_memories");
    let expected = format!(
        "error: {}: the component has 5 linear memories, more than the 4 that one execution may hold; \
         compose it of fewer components, or link its modules into fewer\n",
        file.display()
    );
    let checked = Host::command(["check"]).arg(&file).run();
    assert_eq!((checked.code, &checked.stderr), (Some(1), &expected));
    let served = Host::serve("has_many_memories").run();
    assert_eq!((served.code, &served.stderr), (Some(1), &expected));

    let state = State::new();
    let deployed = state
        .functions(["deploy", "many", "--source"])
        .arg(&file)
        .run();
    assert_eq!(deployed.code, Some(1));
    assert!(
        deployed.stderr.contains("has 5 linear memories"),
        "{deployed:?}"
    );
}

/// Were the places of the pool counted by what most components have, these would take those of all.
#[test]
fn executions_with_all_the_parts_they_may_have_leave_the_others_theirs() {
    let state = State::new();
    state.deploy("parts", "spins_in_parts", &[]);
    state.deploy("hello", "hello", &[]);
    let host = serve(&state, &["--max-executions=64"]);
    let spinning: Vec<_> = (0..48).map(|_| begin(&host, "/parts")).collect();
    host.wait_for_starts(48);
    for _ in 0..5 {
        let reply = host.post("/hello", r#"{"name": "Ada"}"#);
        assert_eq!((reply.status, reply.text()), (200, "Hello Ada!"));
    }
    let ended = host
        .log()
        .iter()
        .filter(|line| line.contains("parts") && line.contains("took"))
        .count();
    assert_eq!(ended, 0, "all of them had what they need");
    drop(spinning);
}

#[test]
fn a_function_gets_three_quarters_of_the_places_where_there_may_be_others() {
    let state = State::new();
    state.deploy("sleeps", "sleeps", &[]);
    state.deploy("hello", "hello", &[]);
    let host = serve(&state, &["--max-executions=8", "--queue-time=300ms"]);
    let sleeping: Vec<_> = (0..6).map(|_| begin(&host, "/sleeps")).collect();
    host.wait_for_starts(6);
    assert_eq!(host.get("/sleeps?ms=1").status, 503);
    assert_eq!(host.post("/hello", "{}").status, 200);
    let limit = |name: &str| host.metric(&format!("host_instances_limit{{function=\"{name}\"}}"));
    assert_eq!((limit("sleeps"), limit("hello")), (6.0, 6.0));
    drop(sleeping);
}

#[test]
fn a_component_that_is_served_alone_gets_all_places() {
    let host = Host::serve("sleeps")
        .args(["--workers=1", "--max-executions=8", "--queue-time=300ms"])
        .start();
    let sleeping: Vec<_> = (0..8).map(|_| begin(&host, "/")).collect();
    host.wait_for_starts(8);
    assert_eq!(host.get("/?ms=1").status, 503);
    drop(sleeping);
}

#[test]
fn a_function_gets_three_quarters_of_the_memory_where_there_may_be_others() {
    let state = State::new();
    state.deploy("greedy", "allocates", &[]);
    state.deploy("other", "allocates", &[]);
    let host = serve(&state, &["--total-memory=80Mi"]);
    let first = begin(&host, "/greedy?mib=40&ms=60000");
    host.wait_for_starts(1);
    let held = || host.metric("host_instances_memory_bytes");
    wait_until("it holds its memory", || held() > 40.0 * 1024.0 * 1024.0);
    // The next version of it does not begin anew.
    state.update("greedy", &["--memory=200Mi"]);
    let second = host.get("/greedy?mib=25");
    assert_eq!(second.status, 500);
    assert_eq!(host.finish_of(&second), "status: 'out of memory'");
    let (_, reason) = host.printed_by(&second).pop().expect("the host says why");
    assert!(
        reason.starts_with(
            "wanted more memory than was left of the 60 MiB that one function may have"
        ),
        "{reason}"
    );
    assert_eq!(host.get("/other?mib=25").text(), "25 MiB\n");
    drop(first);
    wait_until("it has let go", || held() == 0.0);
    assert_eq!(host.get("/greedy?mib=25").text(), "25 MiB\n");
}
