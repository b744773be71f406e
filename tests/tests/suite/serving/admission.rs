//! Who is let in when the house is full, who waits, and who is told to come back.

use std::time::{Duration, Instant};

use tests::served::{ACCOUNT, ROLE, Served};
use tests::{Host, HostBuilder, Http2, PATIENCE, Reply, Wire, wait_until};

/// A host with one instance, whose guest `spins`.
fn one_instance(guest: &str) -> HostBuilder {
    Host::serve(guest).args(["--workers=1", "--concurrency=1"])
}

#[track_caller]
fn begin(host: &Host, path: &str) -> Wire {
    let mut wire = host.connect();
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    wire
}

/// Begins an execution that lasts until the connection is dropped.
#[track_caller]
fn occupy(host: &Host) -> Wire {
    let wire = begin(host, "/");
    host.wait_for_log(|line| line.contains("started"));
    wire
}

#[track_caller]
fn wait_for_end(host: &Host, reply: &Reply) {
    let id = reply.execution_id();
    host.wait_for_log(|line| line.contains(id) && line.contains("took"));
}

fn count(host: &Host, text: &str) -> usize {
    host.log().iter().filter(|line| line.contains(text)).count()
}

#[test]
fn a_request_waits_until_an_instance_is_free() {
    let host = one_instance("spins").start();
    let busy = occupy(&host);
    let mut waiting = begin(&host, "/?rounds=1");
    assert!(waiting.is_silent_for(Duration::from_millis(200)));
    assert_eq!(count(&host, "started"), 1);
    drop(busy);
    assert_eq!(waiting.read_reply().text(), "spun\n");
}

#[test]
fn who_waits_for_an_instance_is_judged_again_when_there_is_one() {
    let served = Served::with(&["--workers=1"]);
    let host = &served.host;
    served.succeed("iam service-accounts create caller");
    let deploy = |name: &str, access: &str| {
        let source = tests::guest("spins");
        let source = source.display();
        served.succeed(&format!(
            "functions deploy {name} --source {source} --concurrency 1 {access}"
        ));
    };
    deploy("private", "");
    deploy("open", "--allow-unauthenticated");
    let binding = format!("--member {ACCOUNT} --role {ROLE}");
    let add = format!("functions add-iam-policy-binding private {binding}");
    served.succeed(&add);
    let audience = format!("http://{}/private", host.addr());
    let token = served.succeed(&tests::served::print(&audience));
    let status_after = |function: &str, command: &str| {
        let begin = |query: &str| {
            let mut wire = host.connect();
            wire.send(format!(
                "GET /{function}{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
                token.trim()
            ));
            wire
        };
        let started = count(host, "started");
        let busy = begin("");
        wait_until("it runs", || count(host, "started") > started);
        let mut waiting = begin("?rounds=1");
        assert!(waiting.is_silent_for(Duration::from_millis(200)));
        if !command.is_empty() {
            served.succeed(command);
        }
        drop(busy);
        waiting.read_reply().status
    };
    assert_eq!(status_after("private", ""), 200);
    let remove = format!("functions remove-iam-policy-binding private {binding}");
    assert_eq!(status_after("private", &remove), 403);
    served.succeed(&add);
    assert_eq!(status_after("open", "functions delete open --quiet"), 404);
    let revoke = "auth revoke --subject caller@host.internal";
    assert_eq!(status_after("private", revoke), 401);
}

#[test]
fn a_request_that_waited_in_vain_is_503_and_told_when_to_come_back() {
    let host = one_instance("sleeps").arg("--queue-time=300ms").start();
    let _busy = occupy(&host);
    let begun = Instant::now();
    let reply = host.request("GET /\nAccept: application/json", "");
    assert!(begun.elapsed() >= Duration::from_millis(300), "it waited");
    assert_eq!(reply.status, 503);
    let seconds = reply
        .header("retry-after")
        .and_then(|text| text.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{reply:?}");
    assert_eq!(reply.json()["execution_id"], reply.execution_id());
    host.wait_for_log(|line| line.contains(reply.execution_id()) && line.contains("300ms"));
}

#[test]
fn a_request_beyond_the_queue_is_503_at_once() {
    let host = one_instance("sleeps")
        .args(["--queue-time=1m", "--queue-length=1"])
        .start();
    let _busy = occupy(&host);
    let mut waiting = begin(&host, "/");
    assert!(waiting.is_silent_for(Duration::from_millis(200)));
    let reply = host.get("/");
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    assert!(
        waiting.is_silent_for(Duration::from_millis(1)),
        "who waits goes on waiting"
    );
}

#[test]
fn those_who_wait_are_served_in_the_order_they_came() {
    let host = one_instance("sleeps").arg("--queue-time=15s").start();
    let busy = occupy(&host);
    let mut waiting: Vec<Wire> = Vec::new();
    for number in 1..=5 {
        waiting.push(begin(&host, "/?ms=1"));
        wait_until("it waits", || {
            host.metric("host_queue_length{function=\"sleeps\"}") >= f64::from(number)
        });
    }
    drop(busy);
    let replies: Vec<Reply> = waiting.iter_mut().map(Wire::read_reply).collect();
    let came: Vec<&str> = replies.iter().map(Reply::execution_id).collect();
    for reply in &replies {
        assert_eq!(reply.status, 200);
        wait_for_end(&host, reply);
    }
    let log = host.log();
    let served = log.iter().filter(|line| line.contains("started")).skip(1);
    for (line, id) in served.zip(came) {
        assert!(line.contains(id), "{id} was next: {log:#?}");
    }
}

#[test]
fn a_client_that_goes_while_it_waits_is_never_executed() {
    let host = one_instance("sleeps")
        .args(["--queue-time=15s", "--queue-length=1"])
        .start();
    let busy = occupy(&host);
    drop(begin(&host, "/?ms=1"));
    let begun = Instant::now();
    // Its place in the queue is free again.
    let mut next = loop {
        let mut wire = begin(&host, "/?ms=1");
        if wire.is_silent_for(Duration::from_millis(100)) {
            break wire;
        }
        assert!(begun.elapsed() < PATIENCE, "its place is never given back");
    };
    drop(busy);
    let reply = next.read_reply();
    assert_eq!(reply.status, 200);
    wait_for_end(&host, &reply);
    assert_eq!(count(&host, "started"), 2);
}

#[test]
fn streams_of_one_connection_wait_as_connections_do() {
    let host = one_instance("sleeps").arg("--queue-time=300ms").start();
    let client = Http2::connect(host.addr());
    let busy = client.start("GET", "/").finish();
    host.wait_for_log(|line| line.contains("started"));
    assert_eq!(client.get("/").status, 503);
    busy.reset();
    assert_eq!(client.get("/?ms=1").status, 200);
}

#[test]
fn executions_are_bounded_in_all() {
    let host = Host::serve("sleeps")
        .args(["--workers=1", "--max-executions=1", "--queue-time=300ms"])
        .start();
    let _busy = occupy(&host);
    assert_eq!(host.get("/").status, 503);
}

#[test]
fn without_a_word_a_request_waits_for_five_seconds() {
    let host = one_instance("sleeps").start();
    let _busy = occupy(&host);
    let begun = Instant::now();
    let reply = host.get("/");
    let took = begun.elapsed();
    assert_eq!(reply.status, 503);
    assert!(took >= Duration::from_secs(5), "{took:?}");
    assert!(took < Duration::from_secs(7), "{took:?}");
}

#[test]
fn without_a_word_a_function_has_80_instances_on_each_worker() {
    let host = Host::serve("sleeps").arg("--workers=2").start();
    let limit = host.metric("host_instances_limit{function=\"sleeps\"}");
    assert_eq!(limit, 160.0);
}

#[test]
fn without_a_word_there_are_1_000_executions_in_all() {
    let host = Host::serve("sleeps")
        .args([
            "--workers=1",
            "--concurrency=5000",
            "--max-streams=2000",
            "--total-memory=8Gi",
        ])
        .arg("--queue-time=500ms")
        .start();
    let client = Http2::connect(host.addr());
    // The settings of the host, by which it allows so many, are known with the first answer.
    assert_eq!(client.get("/?ms=1").status, 200);
    let sleeping: Vec<_> = (0..1000)
        .map(|_| client.start("GET", "/").finish())
        .collect();
    host.wait_for_starts(1001);
    assert_eq!(client.get("/?ms=1").status, 503);
    drop(sleeping);
}

#[test]
fn a_function_that_goes_on_after_its_answer_keeps_its_instance() {
    let host = one_instance("lingers").arg("--queue-time=15s").start();
    assert_eq!(host.get("/?ms=500").text(), "answered\n");
    wait_for_end(&host, &host.get("/?ms=1"));
    let log = host.log();
    let is_event = |line: &&String| line.contains("started") || line.contains("took");
    let events: Vec<_> = log
        .iter()
        .filter(is_event)
        .map(|line| line.contains("took"))
        .collect();
    assert_eq!(
        events,
        [false, true, false, true],
        "one ended before the other began: {log:#?}"
    );
}

#[test]
fn a_function_that_goes_on_after_head_keeps_its_instance() {
    let host = one_instance("lingers").args(["--queue-time=300ms"]).start();
    let mut wire = host.connect();
    wire.send("HEAD /?ms=3000 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(wire.read_head().status, 200);
    assert_eq!(host.get("/?ms=1").status, 503);
}

#[test]
fn connections_are_bounded_and_a_place_is_given_back() {
    let host = Host::serve("hello").arg("--max-connections=2").start();
    let mut open: Vec<Wire> = (0..2).map(|_| begin(&host, "/")).collect();
    for wire in &mut open {
        assert_eq!(
            wire.read_reply().status,
            400,
            "the function's own word for an empty body"
        );
    }
    // One that sends nothing yet: to close with bytes unread would take back what was said.
    let said = host.connect().read_to_end();
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 503 "), "{said:?}");
    assert!(said.contains("\r\nretry-after: 1\r\n"), "{said:?}");
    open.pop();
    let begun = Instant::now();
    while !begin_unless_closed(&host)
        .read_to_end()
        .starts_with(b"HTTP/1.1 400 ")
    {
        assert!(begun.elapsed() < PATIENCE, "no place is given back");
    }
    drop(open);
}

#[test]
fn a_client_beyond_the_limit_that_has_sent_its_request_reads_its_answer() {
    let host = Host::serve("hello").arg("--max-connections=1").start();
    let mut open = begin(&host, "/");
    assert_eq!(open.read_reply().status, 400);
    let body = "x".repeat(4 << 20);
    for _ in 0..10 {
        let mut wire = host.connect();
        wire.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(wire.read_head().status, 503);
    }
}

/// A request that asks for its connection to be closed, on one that may be closed before.
#[track_caller]
fn begin_unless_closed(host: &Host) -> Wire {
    let mut wire = host.connect();
    let _ = wire.try_send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    wire
}
