//! Warm instances under load: one request at a time in each, and nobody's failure is another's.

use std::collections::HashMap;
use std::thread;

use tests::crowd::alone;
use tests::{Host, HostBuilder, wait_until};

const CLIENTS: usize = 16;

fn warm() -> HostBuilder {
    Host::serve("counts").args(["--warm", "--workers=2"])
}

/// What `CLIENTS` at once are answered to `requests` for each `path` in turn: the execution's id, the status and the text.
fn answers(
    host: &Host,
    requests: usize,
    path: impl Fn(usize) -> &'static str + Sync,
) -> Vec<(String, u16, String)> {
    let client = || {
        let mut wire = host.connect();
        let ask = |number| {
            let path = path(number);
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n"));
            let reply = wire.read_reply();
            (
                reply.execution_id().to_owned(),
                reply.status,
                reply.text().to_owned(),
            )
        };
        (0..requests / CLIENTS).map(ask).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("all are answered"))
            .collect()
    })
}

/// The guest answers how many requests its instance has had, or that another one came meanwhile, and prints the same.
#[test]
fn each_of_many_requests_has_an_instance_for_itself_and_its_own_log() {
    let _alone = alone();
    let host = warm().start();
    let answers = answers(&host, 200_000, |_| "/");
    let mut counts = HashMap::new();
    for (id, status, text) in answers {
        assert_eq!(status, 200);
        let count: u32 = text
            .trim()
            .parse()
            .expect("no request came to it meanwhile");
        assert!((1..=1000).contains(&count));
        counts.insert(id, count);
    }
    assert_eq!(counts.len(), 200_000);
    let printed = || {
        let log = host.log();
        let printed = log.iter().filter_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [_, _, id, _, _, "request", count] = words[..] else {
                return None;
            };
            Some((id.to_owned(), count.parse::<u32>().ok()?))
        });
        printed.collect::<HashMap<_, _>>()
    };
    wait_until("all is printed", || printed().len() == counts.len());
    assert!(printed() == counts, "the log says what was answered");
    let retired =
        host.metric("host_instances_retired_total{function=\"counts\",reason=\"requests\"}");
    assert!(
        (200.0..240.0).contains(&retired),
        "each answers 875 to 1,000: {retired}"
    );
}

#[test]
fn one_that_traps_at_every_tenth_request_fails_no_other() {
    let _alone = alone();
    let host = warm().start();
    let path = |number| if number % 10 == 9 { "/?then=trap" } else { "/" };
    let answers = answers(&host, 3200, path);
    let failed = answers
        .iter()
        .filter(|(_, status, _)| *status == 500)
        .count();
    let others = answers
        .iter()
        .filter(|(_, status, _)| *status == 200)
        .count();
    assert_eq!((failed, others), (320, 2880));
    let retired =
        host.metric("host_instances_retired_total{function=\"counts\",reason=\"failed\"}");
    assert_eq!(retired, 320.0);
}
