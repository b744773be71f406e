//! `wasi:keyvalue`: what functions keep is theirs, is within their quotas, and outlasts the host.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tests::{FREE_PORTS, Host, Signal, State, guest};

const PATIENCE: Duration = Duration::from_secs(10);

/// What the function `name` answers to `query`.
#[track_caller]
fn ask(host: &Host, name: &str, query: &str) -> String {
    let reply = host.get(&format!("/{name}?{query}"));
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.text().to_owned()
}

/// The error that the function `name` is told for `query`.
#[track_caller]
fn refused(host: &Host, name: &str, query: &str) -> String {
    let reply = host.get(&format!("/{name}?{query}"));
    assert_eq!(reply.status, 500, "{query}: {}", reply.text());
    reply.text().to_owned()
}

fn with_function(settings: &[&str]) -> (State, Host) {
    let state = State::new();
    state.deploy("f", "keeps_values", settings);
    let host = state.serve().start();
    (state, host)
}

#[test]
fn values_are_kept_one_by_one_and_several_at_once() {
    let (_state, host) = with_function(&[]);
    let f = |query: &str| ask(&host, "f", query);
    assert_eq!(f("do=get&key=a"), "none");
    assert_eq!(f("do=set&key=a&value=1%0a%00"), "set");
    assert_eq!(f("do=get&key=a"), "1\n\0");
    assert_eq!(f("do=exists&key=a"), "true");
    assert_eq!(f("do=set-many&keys=b,c&value=2"), "set");
    assert_eq!(f("do=get-many&keys=c,never,b,c"), "c=2\nnone\nb=2\nc=2");
    assert_eq!(f("do=delete&key=b"), "deleted");
    assert_eq!(f("do=delete-many&keys=a,never"), "deleted");
    assert_eq!(f("do=exists&key=a"), "false");
    assert_eq!(f("do=list"), "c");
    assert_eq!(
        f("do=add&key=n&by=18446744073709551615"),
        u64::MAX.to_string()
    );
    let range = "the sum is out of the range of numbers";
    assert_eq!(refused(&host, "f", "do=add&key=n"), range);
    let number = "the value is not a whole number in decimal digits";
    f("do=set&key=t&value=text");
    assert_eq!(refused(&host, "f", "do=add&key=t"), number);
    assert_eq!(
        refused(&host, "f", "do=get&key="),
        "a key has 1 to 1024 bytes; this one has 0"
    );
}

#[test]
fn keys_are_listed_in_pages() {
    let (state, host) = with_function(&[]);
    for first in ["a", "b", "c"] {
        let keys: Vec<_> = (0..200).map(|number| format!("{first}{number}")).collect();
        ask(&host, "f", &format!("do=set-many&keys={}", keys.join(",")));
    }
    let pages = ask(&host, "f", "do=list");
    let pages: Vec<Vec<_>> = pages
        .lines()
        .map(|page| page.split(' ').collect())
        .collect();
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [256, 256, 88]
    );
    assert_eq!((pages[0][0], pages[2][87]), ("a0", "c199"));
    state.deploy("f", "swaps_values", &[]);
    assert_eq!(ask(&host, "f", "do=list"), "600 in 3");
    let error = refused(&host, "f", "do=bad-cursor");
    assert!(
        error.contains("the cursor is not of this bucket"),
        "{error}"
    );
}

#[test]
fn a_function_opens_its_own_bucket_and_those_that_it_shares() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("one", "keeps_values", &["--keyvalue-bucket=ours"]);
    state.deploy(
        "two",
        "keeps_values",
        &["--keyvalue-bucket=ours", "--keyvalue-bucket=b"],
    );
    state.deploy("three", "keeps_values", &[]);
    ask(&host, "one", "do=set&key=a&value=own");
    ask(&host, "one", "do=set&bucket=ours&key=a&value=shared");
    assert_eq!(ask(&host, "one", "do=get&bucket=default&key=a"), "own");
    assert_eq!(ask(&host, "two", "do=get&bucket=default&key=a"), "none");
    assert_eq!(ask(&host, "two", "do=get&bucket=ours&key=a"), "shared");
    for (function, bucket) in [
        ("one", "b"),
        ("two", "one"),
        ("three", "ours"),
        ("three", "never"),
    ] {
        let query = format!("do=open&bucket={bucket}");
        assert_eq!(refused(&host, function, &query), "no such store");
    }
    state.update("two", &["--clear-keyvalue-buckets"]);
    assert_eq!(
        refused(&host, "two", "do=open&bucket=ours"),
        "no such store"
    );
    // The own bucket goes with the function, the shared one stays.
    state.delete("one");
    state.deploy("one", "keeps_values", &["--keyvalue-bucket=ours"]);
    assert_eq!(ask(&host, "one", "do=get&key=a"), "none");
    assert_eq!(ask(&host, "one", "do=get&bucket=ours&key=a"), "shared");
}

#[test]
fn a_full_bucket_says_so_and_what_is_in_it_stays() {
    let (state, host) = with_function(&["--keyvalue-entries=2", "--keyvalue-bytes=1Ki"]);
    ask(&host, "f", "do=set-many&keys=a,b&value=1");
    let entries = "the bucket is full: its limit of entries is 2";
    assert_eq!(refused(&host, "f", "do=set&key=c&value=1"), entries);
    assert_eq!(refused(&host, "f", "do=add&key=c"), entries);
    let bytes = "the bucket is full: its limit of bytes, keys and values together, is 1024";
    assert_eq!(refused(&host, "f", "do=set&key=a&size=1022"), bytes);
    assert_eq!(ask(&host, "f", "do=get-many&keys=a,b"), "a=1\nb=1");
    ask(&host, "f", "do=set&key=a&size=1021");
    state.update("f", &["--keyvalue-entries=3", "--keyvalue-bytes=2Ki"]);
    ask(&host, "f", "do=set&key=c&size=100");
}

#[test]
fn what_a_function_is_handed_counts_as_its_memory() {
    let (_state, host) = with_function(&["--memory=2Mi", "--keyvalue-bytes=8Mi"]);
    for key in ["a", "b", "c", "d", "e"] {
        ask(&host, "f", &format!("do=set&key={key}&size=200000"));
    }
    assert_eq!(ask(&host, "f", "do=get&key=a").len(), 200_000);
    // What is asked for is small, and what would be answered is not.
    let reply = host.get("/f?do=get-many&keys=a,b,c,d,e");
    assert_eq!(host.finish_of(&reply), "status: 'out of memory'");
    let (_, reason) = host.printed_by(&reply).pop().expect("the host says why");
    assert!(
        reason.contains("values that the host holds for the guest"),
        "{reason}"
    );
    assert_eq!(ask(&host, "f", "do=get&key=a").len(), 200_000);
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_host_is_killed() {
    let state = State::new();
    state.deploy("f", "keeps_values", &[]);
    for round in 0..3 {
        let host = state.serve().start();
        let (acknowledged, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let written = thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let (host, acknowledged, is_over) = (&host, &acknowledged, &is_over);
                    scope.spawn(move || {
                        write_until_killed(host, round, writer, acknowledged, is_over)
                    })
                })
                .collect();
            while acknowledged.load(Ordering::Relaxed) < 40 {
                thread::yield_now();
            }
            is_over.store(true, Ordering::Relaxed);
            host.signal(Signal::Kill);
            host.wait(PATIENCE);
            let written = writers
                .into_iter()
                .map(|writer| writer.join().expect("it ends"));
            written.collect::<Vec<_>>()
        });
        let host = state.serve().start();
        let mut sum = 0;
        for (writer, count) in written.iter().enumerate() {
            for number in 0..*count {
                let query = format!("do=get&key=k{round}-{writer}-{number}");
                assert_eq!(ask(&host, "f", &query), number.to_string());
            }
            sum += count;
        }
        assert!(sum >= 40, "{written:?}");
        // What was counted for each write is there too, and perhaps a write that nobody heard of.
        let counted: u64 = ask(&host, "f", &format!("do=get&key=sum{round}"))
            .parse()
            .expect("a number");
        assert!((sum..=sum + 4).contains(&counted), "{counted} for {sum}");
    }
}

/// Sets one value after the other, and counts each, until the host is gone. Answers how many it has heard of.
fn write_until_killed(
    host: &Host,
    round: u32,
    writer: usize,
    acknowledged: &AtomicU64,
    is_over: &AtomicBool,
) -> u64 {
    let mut number = 0;
    loop {
        let set = format!("/f?do=set&key=k{round}-{writer}-{number}&value={number}");
        let add = format!("/f?do=add&key=sum{round}");
        if ![set, add].iter().all(|path| is_answered(host, path)) {
            assert!(is_over.load(Ordering::Relaxed), "{number}");
            return number;
        }
        number += 1;
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the host, which may be gone by now, answers with 200.
fn is_answered(host: &Host, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(host.addr()) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let asked = stream.write_all(request.as_bytes());
    // It may end before the answer does.
    let _ = asked.and_then(|()| stream.read_to_end(&mut answer));
    answer.starts_with(b"HTTP/1.1 200 ")
}

/// Has 16 callers ask the function `f` at once, ten times each.
fn from_all_sides(host: &Host, query: &str) -> Vec<u64> {
    let ask = || (0..10).map(|_| ask(host, "f", query).parse().expect("a number"));
    let mut answers: Vec<u64> = thread::scope(|scope| {
        let callers: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| ask().collect::<Vec<u64>>()))
            .collect();
        callers
            .into_iter()
            .flat_map(|caller| caller.join().expect("it ends"))
            .collect()
    });
    answers.sort_unstable();
    answers
}

#[test]
fn increments_and_swaps_of_many_callers_lose_nothing() {
    let (state, host) = with_function(&[]);
    let all: Vec<u64> = (1..=160).collect();
    assert_eq!(from_all_sides(&host, "do=add&key=n"), all);
    state.deploy("f", "swaps_values", &[]);
    assert_eq!(from_all_sides(&host, "do=count&key=m"), all);
    assert_eq!(ask(&host, "f", "do=get&key=n"), "160");
}

#[test]
fn the_later_draft_swaps_subtracts_and_pairs_keys_with_values() {
    let state = State::new();
    state.deploy("f", "swaps_values", &[]);
    let host = state.serve().start();
    let f = |query: &str| ask(&host, "f", query);
    assert_eq!(f("do=late&key=a"), "faster second");
    assert_eq!(f("do=late&key=a"), "faster second");
    assert_eq!(f("do=subtract&key=n"), "-1");
    assert_eq!(f("do=get-many"), "a=second b=none");
}

#[test]
fn a_component_as_a_template_of_wasmcloud_makes_one_is_served() {
    let check = Host::command(["check"]).arg(guest("counts_visits")).run();
    assert_eq!(check.code, Some(0), "{check:?}");
    for name in [
        "wasi:config/store@0.2.0-rc.1",
        "wasi:logging/logging@0.1.0-draft",
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:keyvalue/atomics@0.2.0-draft",
    ] {
        assert!(check.stdout.contains(name), "{name}: {}", check.stdout);
    }
    assert!(
        check.stdout.contains("host            yes\n"),
        "{}",
        check.stdout
    );
    let host = Host::serve("counts_visits")
        .arg("--set-config=greeting=Hi")
        .start();
    assert_eq!(host.get("/").text(), "Hi, visitor 1!\n");
    let reply = host.get("/");
    assert_eq!(reply.text(), "Hi, visitor 2!\n");
    assert_eq!(
        host.printed_by(&reply),
        [("I".to_owned(), "visit 2".to_owned())]
    );
}

#[test]
fn a_component_on_the_command_line_keeps_values_where_a_state_directory_is_named() {
    let state = State::new();
    for count in 1..=2 {
        let host = state.serve_component("counts_visits").start();
        assert_eq!(host.get("/").text(), format!("Hello, visitor {count}!\n"));
    }
    // With none that is named, they last as long as the process.
    for _ in 0..2 {
        let serve = Host::command(["serve"])
            .arg(guest("counts_visits"))
            .args(FREE_PORTS);
        let host = serve.start();
        host.get("/");
        assert_eq!(host.get("/").text(), "Hello, visitor 2!\n");
    }
}

#[test]
fn a_warm_instance_may_keep_its_bucket() {
    let (_state, host) = with_function(&["--warm"]);
    assert_eq!(ask(&host, "f", "do=keep&key=n"), "opened");
    for count in 1..=3 {
        assert_eq!(ask(&host, "f", "do=keep&key=n"), format!("kept {count}"));
    }
}

#[test]
fn a_name_that_leads_to_the_own_bucket_cannot_be_shared() {
    let state = State::new();
    state.deploy("f", "keeps_values", &[]);
    for name in ["default", "", &"n".repeat(129)] {
        let flag = format!("--keyvalue-bucket={name}");
        let refused = state.functions(["deploy", "f", &flag]).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let reason = "is not the name of a shared bucket; expected 1 to 128 bytes";
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
}
