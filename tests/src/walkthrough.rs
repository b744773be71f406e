//! Runs the commands that a page of the documentation shows, in order, and compares what they print.
//!
//! Commands stand in blocks marked `console`, each after `$ `, with what they print right below. `…` in a line stands
//! for anything; a line that is nothing else stands for any lines. Times, durations and execution ids are compared by their
//! shape. `host serve` goes on beside the commands that follow it, until the next one or the page's end; what it prints
//! may come at any time, and more than is shown. Ports 8080 and 8081 of the page stand for those that the host took. The
//! first block marked `toml` is the `host.toml` that lies there.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::host::{FOREIGN, Host};
use crate::{Directory, paths};

/// As long as an entry may not be there yet: the next minute's job is waited for as well.
const A_MINUTE: Duration = Duration::from_secs(70);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(200);
const ADDR: &str = "127.0.0.1:8080";
const ADMIN_ADDR: &str = "127.0.0.1:8081";

/// A page being walked through, in a directory of its own that holds `hello.wasm`.
pub struct Walkthrough {
    directory: Directory,
    path: OsString,
    host: Option<(Host, Vec<String>)>,
    commands: usize,
}

struct Step {
    command: String,
    expected: Vec<String>,
}

impl Walkthrough {
    /// Runs every command of `page` (its text), and answers how many there were. `guests` are put beside `hello.wasm`.
    #[track_caller]
    pub fn run(page: &str, guests: &[&str]) -> usize {
        let mut walkthrough = Self::new(guests);
        if let Some((_, block)) = page.split_once("```toml\n") {
            let block = block.split("```").next().unwrap_or_default();
            let file = walkthrough.directory.path().join("host.toml");
            fs::write(file, block).expect("a file can be written");
        }
        for step in steps(page) {
            walkthrough.step(step);
            walkthrough.commands += 1;
        }
        walkthrough.end_host();
        walkthrough.commands
    }

    fn new(guests: &[&str]) -> Self {
        let directory = Directory::new();
        for guest in ["hello"].iter().chain(guests) {
            let file = directory.path().join(format!("{guest}.wasm"));
            fs::copy(paths::guest(guest), file).expect("a component can be copied");
        }
        let bin = directory.path().join("bin");
        fs::create_dir(&bin).expect("a directory can be made");
        symlink(paths::host_binary(), bin.join("host")).expect("a link can be made");
        let others = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([bin].into_iter().chain(env::split_paths(&others)));
        Self {
            directory,
            path: path.expect("folders of a path can be joined"),
            host: None,
            commands: 0,
        }
    }

    #[track_caller]
    fn step(&mut self, step: Step) {
        match step.command.strip_prefix("host serve") {
            Some(arguments) => self.serve(arguments, step.expected),
            None => self.command(&step),
        }
    }

    #[track_caller]
    fn serve(&mut self, arguments: &str, expected: Vec<String>) {
        self.end_host();
        let script =
            format!("exec host serve {arguments} --addr 127.0.0.1:0 --admin-addr 127.0.0.1:0");
        let host = Host::from_command(self.shell(&script)).start();
        self.host = Some((host, expected));
    }

    #[track_caller]
    fn command(&self, step: &Step) {
        let begun = Instant::now();
        // What is kept of the log comes a moment after the answer.
        let may_come_late = step.command.starts_with("host functions logs read");
        let mut printed = self.printed_by(step);
        let is_shown =
            |printed: &str| matches(&step.expected, &printed.lines().collect::<Vec<_>>());
        while may_come_late && !is_shown(&printed) && begun.elapsed() < A_MINUTE {
            thread::sleep(LOOK);
            printed = self.printed_by(step);
        }
        assert!(
            is_shown(&printed),
            "$ {}\nshown:\n{}\nprinted:\n{printed}",
            step.command,
            step.expected.join("\n"),
        );
    }

    fn printed_by(&self, step: &Step) -> String {
        let output = self
            .shell(&format!(
                "{{ {}\n}} 2>&1",
                self.with_real_ports(&step.command)
            ))
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell");
        let printed = self.with_shown_ports(&String::from_utf8_lossy(&output.stdout));
        // Whether it comes depends on how busy the machine is.
        let lines = printed
            .lines()
            .filter(|line| !line.starts_with("Compiling "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// Ends the host that serves, once it has printed all that is shown of it.
    #[track_caller]
    fn end_host(&mut self) {
        let Some((host, expected)) = self.host.take() else {
            return;
        };
        for shown in expected.iter().filter(|line| line.as_str() != "…") {
            let (addr, admin_addr) = (host.addr(), host.admin_addr());
            let is_shown = |line: &str| is_like(shown, &shown_ports(line, addr, admin_addr));
            host.wait_for_output(shown, is_shown);
        }
    }

    fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", script])
            .current_dir(self.directory.path())
            .env("PATH", &self.path)
            .env("HOST_STATE_DIR", self.directory.path().join("state"));
        for name in FOREIGN.iter().filter(|name| **name != "HOST_STATE_DIR") {
            shell.env_remove(name);
        }
        shell
    }

    fn with_real_ports(&self, text: &str) -> String {
        match &self.host {
            None => text.to_owned(),
            Some((host, _)) => text
                .replace(ADDR, &host.addr().to_string())
                .replace(ADMIN_ADDR, &host.admin_addr().to_string()),
        }
    }

    fn with_shown_ports(&self, text: &str) -> String {
        match &self.host {
            None => text.to_owned(),
            Some((host, _)) => shown_ports(text, host.addr(), host.admin_addr()),
        }
    }
}

fn shown_ports(text: &str, addr: impl ToString, admin_addr: impl ToString) -> String {
    text.replace(&addr.to_string(), ADDR)
        .replace(&admin_addr.to_string(), ADMIN_ADDR)
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        let mut is_continued = false;
        for line in block.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    command: command.to_owned(),
                    expected: Vec::new(),
                }),
                (None, Some(step)) if is_continued => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => step.expected.push(line.trim_end().to_owned()),
                (None, None) => panic!("a block begins with what is printed: {line}"),
            }
            is_continued = line.ends_with('\\');
        }
    }
    steps
}

/// Whether `printed` is what `shown` says, line by line.
fn matches(shown: &[String], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        (Some((first, rest)), Some((line, lines))) => {
            is_like(first, line.trim_end()) && matches(rest, lines)
        }
        _ => false,
    }
}

/// Whether `line` is `shown`, but for what differs each time.
fn is_like(shown: &str, line: &str) -> bool {
    is_text_like(&shape(shown), &shape(line))
}

/// `text` with times, milliseconds and execution ids replaced by what they are.
fn shape(text: &str) -> String {
    let words: Vec<_> = text.split(' ').collect();
    let shapes = words.iter().enumerate().map(|(at, word)| {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let after = words[at + 1..].iter().find(|word| !word.is_empty());
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        match *word {
            word if is_date(word) => "DATE",
            word if is_of(word, 12, b":.") && digits(word) == 9 => "TIME",
            // An id may be letters alone; then its place tells.
            word if is_of(word, 12, b"abcdefghijklmnopqrstuvwxyz")
                && (digits(word) > 0
                    || after.is_some_and(|after| is_date(after))
                    || before.is_some_and(|before| before.ends_with("xecutionId:"))) =>
            {
                "EXECUTION_ID"
            }
            _ if is_number && after.is_some_and(|unit| unit.starts_with("ms")) => "N",
            word => word,
        }
    });
    shapes.collect::<Vec<_>>().join(" ")
}

fn is_date(word: &str) -> bool {
    is_of(word, 10, b"-") && digits(word) == 8
}

/// Whether `word` is this long, and made of digits and `others`.
fn is_of(word: &str, length: usize, others: &[u8]) -> bool {
    let mut bytes = word.bytes();
    word.len() == length && bytes.all(|byte| byte.is_ascii_digit() || others.contains(&byte))
}

fn digits(word: &str) -> usize {
    word.bytes().filter(u8::is_ascii_digit).count()
}

/// Whether `line` is `shown`, `…` standing for anything.
fn is_text_like(shown: &str, line: &str) -> bool {
    let Some((head, tail)) = shown.split_once('…') else {
        return shown == line;
    };
    let Some(rest) = line.strip_prefix(head) else {
        return false;
    };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| is_text_like(tail, &rest[at..]))
}

/// The text of a page.
#[track_caller]
pub fn page(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_stands_for_anything() {
        assert!(is_like("took … ms, status …", "took 12 ms, status 200"));
        assert!(is_like("…", ""));
        assert!(!is_like("took … ms", "took 12 s"));
        assert!(!is_like("all", "all of it"));
    }

    #[test]
    fn what_differs_each_time_is_compared_by_its_shape() {
        let shown = "D  f  vh2ys3zm3jma  2026-11-23 18:11:39.478  took 0 ms, status 200";
        assert!(is_like(
            shown,
            "D  f  s7py2qjash32  2026-12-24 22:39:14.974  took 12 ms, status 200"
        ));
        assert!(is_like(
            shown,
            "D  f  buorlxumqozu  2026-12-24 22:39:14.974  took 12 ms, status 200"
        ));
        assert!(is_like(
            "executionId: buorlxumqozu",
            "executionId: vh2ys3zm3jma"
        ));
        assert!(!is_like("told otherwise", "told authenticate"));
        assert!(!is_like(
            shown,
            "D  f  s7py2qjash32  2026-12-24 22:39:14.974  took 12 ms, status 500"
        ));
        assert!(!is_like(
            shown,
            "D  f  s7py2qjash  2026-12-24 22:39:14.974  took 12 ms, status 200"
        ));
    }

    #[test]
    fn a_line_of_an_ellipsis_stands_for_any_lines() {
        let shown = ["first".to_owned(), "…".into(), "last".into()];
        assert!(matches(&shown, &["first", "last"]));
        assert!(matches(&shown, &["first", "second", "third", "last"]));
        assert!(!matches(&shown, &["first", "second"]));
        assert!(!matches(&shown, &["first", "last", "more"]));
    }

    #[test]
    fn commands_are_told_from_what_they_print() {
        let page = "text\n```console\n$ one \\\n  more\nprinted\n$ two\n```\n```sh\n$ three\n```\n";
        let steps: Vec<_> = steps(page)
            .into_iter()
            .map(|step| (step.command, step.expected))
            .collect();
        let one = ("one \\\n  more".to_owned(), vec!["printed".to_owned()]);
        assert_eq!(steps, [one, ("two".to_owned(), vec![])]);
    }
}
