//! A healthy function beside one that means ill, fifty times at once: every request of the healthy one succeeds.

use tests::crowd::{FIFTY, alone, assert_99_quick, assert_healthy, fifty};
use tests::{Host, MIB, Reply, State, wait_until};

/// What means ill, and what it is asked for.
const HOSTILE: [(&str, &str); 20] = [
    ("spins", ""),
    ("sleeps", ""),
    ("allocates", ""),
    ("grows_memories", ""),
    ("grows_tables", ""),
    ("recurses", ""),
    ("traps", ""),
    ("panics", ""),
    ("exits", ""),
    ("floods_log", ""),
    ("floods_handles", ""),
    ("floods_random", ""),
    ("never_answers", ""),
    ("answers_twice", ""),
    ("cuts_body", ""),
    ("leaks_body", "?length=100"),
    ("streams", "?mib=1024"),
    ("spins_in_parts", ""),
    // These two fill the host's own memory, up to their limit. What is freed of it goes back late.
    ("floods_fields", "?objects=1000&count=100"),
    ("floods_heads", "?part=trailers&size=100000&requests=1000"),
];

/// The same of WASI 0.3.
const HOSTILE_0_3: [(&str, &str); 24] = [
    ("p3_spins", ""),
    ("p3_sleeps", ""),
    ("p3_allocates", ""),
    ("p3_recurses", ""),
    ("p3_traps", ""),
    ("p3_panics", ""),
    ("p3_exits", ""),
    ("p3_floods_log", ""),
    ("p3_floods_handles", "/streams"),
    ("p3_floods_tasks", ""),
    ("p3_floods_random", ""),
    ("p3_never_answers", ""),
    ("p3_returns_nothing", ""),
    ("p3_cuts_body", ""),
    ("p3_leaks_body", ""),
    ("p3_panics_in_body", "?bytes=100000"),
    ("p3_never_ends_body", ""),
    ("p3_spins_in_body", ""),
    ("p3_spins_after", ""),
    ("p3_yields", ""),
    ("p3_streams", "?mib=1024"),
    ("p3_keeps", "/timer"),
    ("p3_floods_fields", "?objects=1000&count=100"),
    (
        "p3_floods_heads",
        "?part=trailers&size=100000&requests=1000",
    ),
];

/// How many at the end of each list leave much in memory.
const LAVISH: usize = 2;

/// What the host has in memory after the others at the most, in MiB. An execution of WASI 0.3 has three stacks, which keep
/// what was touched of them.
const SPARING: u64 = 300;
const SPARING_0_3: u64 = 450;

/// Serves the healthy function and each of `hostile`, with two workers.
#[track_caller]
fn beside_hello(hostile: &[(&str, &str)], instances: &str) -> (State, Host) {
    let state = State::new();
    state.deploy("hello", "hello", &[instances]);
    state.deploy("hello-0-3", "p3_greets", &[instances]);
    for (name, _) in hostile {
        let function = name.replace('_', "-");
        let settings = ["--memory=32Mi", "--max-response-body=unlimited", instances];
        state.deploy(&function, name, &settings);
    }
    let host = state.serve().arg("--workers=2").start();
    (state, host)
}

/// How many executions of `function` there have been, those under way among them.
#[track_caller]
fn begun(host: &Host, function: &str) -> f64 {
    let metrics = host.metrics();
    let outcomes = metrics.label_values("outcome").into_iter();
    // Runs of jobs have outcomes too.
    let ended = |outcome| {
        let labels = format!("function=\"{function}\",outcome=\"{outcome}\"");
        let series = format!("host_executions_total{{{labels}}}");
        metrics.has(&series).then(|| metrics.value(&series))
    };
    let busy = metrics.value(&format!("host_instances_busy{{function=\"{function}\"}}"));
    busy + outcomes.filter_map(ended).sum::<f64>()
}

#[track_caller]
fn greet(host: &Host) -> Reply {
    greet_by(host, "hello")
}

#[track_caller]
fn greet_by(host: &Host, function: &str) -> Reply {
    host.post(&format!("/{function}"), r#"{"name": "Ada"}"#)
}

#[test]
fn a_healthy_function_answers_every_request_beside_fifty_of_each_that_means_ill() {
    assert_answers_beside_fifty(&HOSTILE, "--no-warm", SPARING);
}

#[test]
fn fifty_of_wasi_0_3_that_mean_ill_do_no_more_harm() {
    assert_answers_beside_fifty(&HOSTILE_0_3, "--no-warm", SPARING_0_3);
}

#[test]
fn nor_do_they_if_all_are_warm() {
    assert_answers_beside_fifty(&HOSTILE_0_3, "--warm", SPARING_0_3);
}

#[test]
fn a_warm_function_answers_every_request_beside_fifty_warm_ones_of_each_that_means_ill() {
    assert_answers_beside_fifty(&HOSTILE, "--warm", SPARING);
}

#[track_caller]
fn assert_answers_beside_fifty(hostile: &[(&str, &str)], instances: &str, sparing: u64) {
    let _alone = alone();
    let (_state, host) = beside_hello(hostile, instances);
    for (number, (name, query)) in hostile.iter().enumerate() {
        if number == hostile.len() - LAVISH {
            let resident = host.resident_memory();
            assert!(resident < sparing * MIB, "{} MiB", resident / MIB);
        }
        let function = name.replace('_', "-");
        let ill = fifty(&host, &format!("/{function}{query}"));
        for (number, healthy) in (0..20).zip(["hello", "hello-0-3"].into_iter().cycle()) {
            let reply = greet_by(&host, healthy);
            let answer = (reply.status, reply.text());
            assert_eq!(
                answer,
                (200, "Hello Ada!"),
                "{number}: {healthy} beside {name}"
            );
        }
        wait_until("all fifty have begun", || {
            begun(&host, &function) >= FIFTY as f64
        });
        drop(ill);
    }
    assert_healthy(&host);
    // What fifty may have at once.
    let most = (FIFTY as u64 * 32 + 100) * MIB;
    let resident = host.resident_memory();
    assert!(resident < most, "{} MiB", resident / MIB);
}

#[test]
fn a_second_function_and_the_control_plane_are_quick_while_all_workers_spin() {
    let _alone = alone();
    let (_state, host) = beside_hello(&[("spins", "")], "--no-warm");
    let spinning = fifty(&host, "/spins");
    host.wait_for_starts(FIFTY);
    assert_99_quick(|| greet(&host));
    assert_healthy(&host);
    let busy = host.metric("host_instances_busy{function=\"spins\"}");
    assert_eq!(busy, FIFTY as f64, "all fifty spun all the while");
    drop(spinning);
}

#[test]
fn turns_that_could_not_be_interrupted_are_counted() {
    let _alone = alone();
    let state = State::new();
    state.deploy("hello", "hello", &[]);
    state.deploy("fills-memory", "fills_memory", &[]);
    let host = state.serve().arg("--workers=2").start();
    let overruns =
        |name: &str| host.metric(&format!("host_turn_overruns_total{{function=\"{name}\"}}"));
    assert_eq!((overruns("fills-memory"), overruns("hello")), (0.0, 0.0));
    let reply = host.get("/fills-memory");
    assert_eq!(host.finish_of(&reply), "status: 'error'");
    // Ten fills of 200 MiB each, and no memory takes that in 20 ms.
    assert!(overruns("fills-memory") >= 1.0);
}
