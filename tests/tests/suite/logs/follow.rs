//! The log as it comes: new entries at once, whatever becomes of the host and its files, until the reader has had enough.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal as SystemSignal, kill_process};
use tests::{Host, PATIENCE, Signal, State, wait_until};

/// How soon a new entry is shown.
const SOON: Duration = Duration::from_millis(300);
/// How soon a command that is told to end does, on a machine with much else to do.
const AT_ONCE: Duration = Duration::from_secs(3);

/// `host functions logs read --follow`, with a pipe for stdout that nobody has read from yet.
fn unread(state: &State) -> Child {
    Command::new(tests::host_binary())
        .args(["functions", "logs", "read", "--follow"])
        .env("HOST_STATE_DIR", state.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// How `child` ends, and when.
fn end(mut child: Child) -> (Option<i32>, Duration) {
    let begun = Instant::now();
    let (ended, end) = channel();
    thread::spawn(move || ended.send(child.wait()));
    let status = end.recv_timeout(PATIENCE).expect("it ends").unwrap();
    (status.code(), begun.elapsed())
}

/// Runs `while_loud` while a host prints all that it can.
fn with_entries_that_keep_coming(state: &State, while_loud: impl FnOnce()) {
    let host = state.serve_component("floods_log").start();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    host.get("/?lines=2000&width=100");
                }
            });
        }
        let _quiet = Quiet(&is_over);
        while_loud();
    });
}

/// Ends what keeps printing, also when a specification fails.
struct Quiet<'a>(&'a AtomicBool);

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_follower_ends_at_once_while_entries_keep_coming() {
    let state = State::new();
    with_entries_that_keep_coming(&state, || {
        for signal in [Signal::Int, Signal::Term] {
            let following = state.follow_log("");
            let mut shown = 0;
            following.wait_for_log(|_| {
                shown += 1;
                shown > 10_000
            });
            let begun = Instant::now();
            following.signal(signal);
            assert_eq!(following.wait(PATIENCE).code(), Some(0), "{signal:?}");
            assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        }
    });
}

#[test]
fn a_follower_whose_reader_takes_nothing_ends_at_once() {
    let state = State::new();
    with_entries_that_keep_coming(&state, || {
        for signal in [SystemSignal::INT, SystemSignal::TERM] {
            let following = unread(&state);
            let stdout = following.stdout.as_ref().unwrap();
            let mut before = 0;
            // Full, and so that no more goes in: the command is held up.
            wait_until("nothing goes into the pipe any more", || {
                thread::sleep(Duration::from_millis(100));
                let waiting = rustix::io::ioctl_fionread(stdout).unwrap();
                waiting > 0 && waiting == std::mem::replace(&mut before, waiting)
            });
            kill_process(Pid::from_child(&following), signal).unwrap();
            let (code, took) = end(following);
            assert_eq!(code, Some(0));
            assert!(took < AT_ONCE, "{took:?}");
        }
    });
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    state.kept_of(host.get("/?kind=line").execution_id());
    let mut following = unread(&state);
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("LEVEL"));
    drop(lines);
    assert_eq!(end(following).0, Some(0));
}

#[test]
fn following_ends_when_nobody_reads_any_more_while_entries_keep_coming() {
    let state = State::new();
    with_entries_that_keep_coming(&state, || {
        let mut following = unread(&state);
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
        assert!(lines.nth(1000).unwrap().is_ok());
        drop(lines);
        let (code, took) = end(following);
        assert_eq!(code, Some(0));
        assert!(took < AT_ONCE, "{took:?}");
    });
}

/// How long it takes until `following` shows the end of an execution of `path`, after it was answered. The middle one of
/// several: others use the machine as well.
#[track_caller]
fn assert_shown_soon(host: &Host, path: &str, following: &Host) {
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let id = host.get(path).execution_id().to_owned();
            let answered = Instant::now();
            following.wait_for_log(|line| line.contains(&id) && line.contains("execution took"));
            answered.elapsed()
        })
        .collect();
    times.sort();
    assert!(times[times.len() / 2] < SOON, "{times:?}");
}

#[test]
fn new_entries_are_shown_soon_across_rotation_restarts_and_redeploys() {
    let state = State::new();
    let serve = || state.serve().arg("--log-max-size=8Mi").start();
    let first = serve();
    state.deploy("f", "prints", &[]);
    state.deploy("loud", "floods_log", &[]);
    state.kept_of(first.get("/f?kind=line").execution_id());
    let following = state.follow_log("--limit 1 --contains Function");
    following.wait_for_log(|line| line.contains("Function execution took"));
    assert_shown_soon(&first, "/f?kind=line", &following);
    let before = state.segment();
    for _ in 0..12 {
        first.get("/loud?lines=200&width=1000");
    }
    wait_until("the log is rotated", || state.segment() > before);
    assert_shown_soon(&first, "/f?kind=line", &following);
    state.deploy("f", "prints", &["--memory=64Mi"]);
    assert_shown_soon(&first, "/f?kind=line", &following);
    first.signal(Signal::Kill);
    first.wait(PATIENCE);
    let second = serve();
    assert_shown_soon(&second, "/f?kind=line", &following);
    second.signal(Signal::Term);
    second.wait(PATIENCE);
    let third = serve();
    assert_shown_soon(&third, "/f?kind=line", &following);
    let shown = following.log();
    assert!(
        !shown.iter().any(|line| line.ends_with("a line")),
        "it is no flood of all there is"
    );
    following.signal(Signal::Int);
    assert_eq!(following.wait(PATIENCE).code(), Some(0));
}

#[test]
fn a_follower_of_a_name_that_has_no_entries_is_told_of_a_near_one_and_waits() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    state.kept_of(host.get("/?kind=line").execution_id());
    let following = state.follow_log("print");
    following.wait_for_stderr(|line| line == "No entry is kept of `print`; did you mean `prints`?");
    following.signal(Signal::Term);
    assert_eq!(following.wait(PATIENCE).code(), Some(0));
}
