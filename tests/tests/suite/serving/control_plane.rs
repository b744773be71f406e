//! The control plane tells how the host is and what it has done, and answers under names of its own.

use tests::{Host, PATIENCE, Signal, State, Wire, wait_until};

#[test]
fn a_host_that_serves_all_it_should_is_alive_and_ready() {
    let host = Host::serve("hello").start();
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let reply = host.control_plane(path);
        assert_eq!((reply.status, reply.text()), (200, body));
    }
    assert_eq!(host.metric("host_ready"), 1.0);
}

#[test]
fn a_function_that_cannot_be_loaded_makes_the_host_not_ready() {
    let state = State::new();
    let secret = state.file("secret", "s3cr3t");
    let secret = format!("--set-secrets=KEY={}", secret.display());
    state.deploy("whole", "hello", &[]);
    state.deploy("broken", "hello", &[&secret]);
    std::fs::remove_file(state.beside().join("secret")).expect("the file is there");
    let host = state.serve().start();
    let reply = host.control_plane("/readyz");
    assert_eq!(reply.status, 503);
    assert!(
        reply
            .text()
            .starts_with("function broken: cannot read the secret")
    );
    assert_eq!(host.metric("host_ready"), 0.0);
    assert_eq!(
        host.post("/whole", "{}").status,
        200,
        "the others are served"
    );
    state.delete("broken");
    wait_until("the host is ready", || {
        host.control_plane("/readyz").status == 200
    });
}

#[test]
fn a_host_that_drains_is_alive_and_not_ready() {
    let host = Host::serve("echoes").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send_chunk("first");
    assert_eq!(wire.read_head().status, 200);
    host.signal(Signal::Term);
    wait_until("the host drains", || {
        host.control_plane("/readyz").status == 503
    });
    assert_eq!(host.control_plane("/readyz").text(), "draining\n");
    assert_eq!(host.control_plane("/healthz").status, 200);
    wire.send_chunk("");
    assert!(host.wait(PATIENCE).success());
}

#[test]
fn each_way_to_end_is_counted() {
    let state = State::new();
    for (name, source, settings) in [
        ("greets", "hello", &[][..]),
        ("traps", "traps", &[]),
        ("spins", "spins", &["--timeout=50ms"]),
        ("small", "hello", &["--max-request-body=10"]),
    ] {
        state.deploy(name, source, settings);
    }
    state.update("small", &["--no-allow-unauthenticated"]);
    let host = state.serve().start();
    assert_eq!(host.post("/greets", "{}").status, 200);
    assert_eq!(host.post("/greets", "no JSON").status, 400);
    assert_eq!(host.get("/traps").status, 500);
    assert_eq!(host.get("/spins").status, 504);
    assert_eq!(host.get("/small").status, 401);
    state.update("small", &["--allow-unauthenticated"]);
    assert_eq!(host.post("/small", "more than ten bytes").status, 413);
    for (function, outcome, count) in [
        ("greets", "success", 1.0),
        ("greets", "client_error", 1.0),
        ("traps", "crash", 1.0),
        ("spins", "timeout", 1.0),
        ("small", "success", 0.0),
    ] {
        let series =
            format!("host_executions_total{{function=\"{function}\",outcome=\"{outcome}\"}}");
        assert_eq!(host.metric(&series), count, "{series}");
    }
    for reason in ["no_token", "body_too_large"] {
        let series =
            format!("host_requests_refused_total{{function=\"small\",reason=\"{reason}\"}}");
        assert_eq!(host.metric(&series), 1.0, "{series}");
    }
}

#[test]
fn bodies_times_and_log_entries_are_counted() {
    let host = Host::serve("hello").with_nothing_compiled().start();
    let body = r#"{"name": "Ada"}"#;
    let answer = host.post("/", body).text().to_owned();
    let of = |name: &str| host.metric(&format!("{name}{{function=\"hello\"}}"));
    assert_eq!(of("host_request_body_bytes_total"), body.len() as f64);
    assert_eq!(of("host_response_body_bytes_total"), answer.len() as f64);
    for times in [
        "host_execution_duration_seconds",
        "host_instantiation_duration_seconds",
    ] {
        assert_eq!(of(&format!("{times}_count")), 1.0);
        assert!(of(&format!("{times}_sum")) > 0.0);
    }
    assert!(of("host_instances_limit") >= 80.0);
    assert_eq!(of("host_instances_busy"), 0.0);
    assert_eq!(of("host_queue_length"), 0.0);
    assert_eq!(host.metric("host_components_compiled_total"), 1.0);
    wait_until("three entries are written", || {
        host.metric("host_log_entries_total{fate=\"written\"}") >= 3.0
    });
    assert_eq!(host.metric("host_log_entries_total{fate=\"dropped\"}"), 0.0);
}

#[test]
fn busy_instances_and_those_who_wait_show() {
    let host = Host::serve("spins")
        .args(["--concurrency=1", "--workers=1"])
        .start();
    let mut wires: Vec<_> = (0..3).map(|_| host.connect()).collect();
    for wire in &mut wires {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    wait_until("one runs and two wait", || {
        host.metric("host_instances_busy{function=\"spins\"}") == 1.0
            && host.metric("host_queue_length{function=\"spins\"}") == 2.0
    });
}

#[test]
fn a_caller_cannot_make_a_label() {
    let host = Host::serve("hello").start();
    host.request("BREW /a-path-of-the-callers\nx-field: its-value", "");
    let metrics = host.metrics();
    assert_eq!(
        metrics
            .label_values("function")
            .into_iter()
            .collect::<Vec<_>>(),
        ["hello"]
    );
    let scrape = host.control_plane("/metrics");
    for word in ["BREW", "a-path-of-the-callers", "its-value"] {
        assert!(!scrape.text().contains(word), "{word}");
    }
}

#[test]
fn counts_go_on_when_a_function_is_deployed_again() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let host = state.serve().start();
    host.post("/f", "{}");
    state.deploy("f", "hello", &["--memory=64Mi"]);
    host.post("/f", "{}");
    let series = "host_executions_total{function=\"f\",outcome=\"success\"}";
    assert_eq!(host.metric(series), 2.0);
    state.delete("f");
    wait_until("it is gone", || !host.metrics().has(series));
}

#[test]
fn what_is_not_there_is_404_and_what_only_reads_takes_no_post() {
    let host = Host::serve("hello").start();
    assert_eq!(host.control_plane("/").status, 404);
    let at = host.admin_addr().to_string();
    for path in ["/healthz", "/readyz", "/metrics"] {
        let reply = host.ask_control_plane(&format!("POST {path}"), &at);
        assert_eq!(reply.status, 405, "{path}");
        assert_eq!(reply.header("allow"), Some("GET, HEAD"));
        assert_eq!(
            host.ask_control_plane(&format!("HEAD {path}"), &at).status,
            200
        );
    }
}

#[test]
fn a_name_that_was_made_to_lead_here_is_not_answered() {
    let host = Host::serve("hello")
        .arg("--admin-host=Metrics.example")
        .start();
    let asked_as = |name: &str| host.ask_control_plane("GET /metrics", name).status;
    for name in [
        "attacker.example",
        "localhost.attacker.example",
        "127.0.0.1.nip.example:80",
    ] {
        assert_eq!(asked_as(name), 421, "{name}");
    }
    for name in ["localhost:1", "127.0.0.1", "[::1]:8081", "metrics.EXAMPLE"] {
        assert_eq!(asked_as(name), 200, "{name}");
    }
}

#[test]
fn a_plain_check_of_a_load_balancer_names_no_host() {
    let host = Host::serve("hello").start();
    let asked = |head: &str| {
        let mut wire = Wire::connect(host.admin_addr());
        wire.send(format!("{head}\r\n\r\n"));
        wire.read_head().status
    };
    for (head, status) in [
        ("GET /healthz HTTP/1.0", 200),
        ("GET /readyz HTTP/1.0", 200),
        // What HAProxy asks unless it is told what to.
        ("OPTIONS / HTTP/1.0", 204),
        ("GET /healthz HTTP/1.0\r\nHost: attacker.example", 421),
        ("GET /healthz HTTP/1.1", 400),
        (
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
            400,
        ),
        ("GET /healthz HTTP/1.1\r\nHost: user@localhost", 400),
        (
            "GET http://attacker.example/healthz HTTP/1.1\r\nHost: localhost",
            421,
        ),
    ] {
        assert_eq!(asked(head), status, "{head}");
    }
}

#[test]
fn functions_are_not_served_where_the_control_plane_is() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let host = state.serve().start();
    assert_eq!(host.control_plane("/f").status, 404);
}

#[test]
fn metrics_come_in_the_format_that_is_asked_for() {
    let host = Host::serve("hello").start();
    host.post("/", "{}");
    let at = host.admin_addr().to_string();
    let asked = |accept: &str| {
        let head = format!("GET /metrics\nAccept: {accept}");
        let reply = host.ask_control_plane(&head, &at);
        let kind = reply.header("content-type").unwrap_or_default().to_owned();
        (kind, reply.text().to_owned())
    };
    let counter = "# TYPE host_executions_total counter\n";
    for accept in ["text/plain;version=0.0.4", "*/*", "text/html,*/*;q=0.1"] {
        let (kind, text) = asked(accept);
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8", "{accept}");
        assert!(text.contains(counter) && !text.contains("# EOF") && !text.contains("# UNIT"));
        assert!(
            text.contains("\nhost_executions_total{function=\"hello\",outcome=\"success\"} 1\n")
        );
    }
    let (kind, text) = asked("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(kind, open_metrics);
    assert!(!text.contains(counter) && text.ends_with("# EOF\n"));
    assert!(host.control_plane("/metrics").text().contains(counter));
}

#[test]
fn clients_that_hold_all_connections_keep_nobody_out() {
    let host = Host::serve("hello").start();
    let silent: Vec<_> = (0..300).map(|_| Wire::connect(host.admin_addr())).collect();
    for _ in 0..3 {
        assert_eq!(host.control_plane("/healthz").status, 200);
    }
    drop(silent);
}
