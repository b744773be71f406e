//! The documentation says what is so.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tests::{Host, Walkthrough, page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> Vec<PathBuf> {
    let top = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ];
    let mut pages = top.map(|page| root().join(page)).to_vec();
    let docs = fs::read_dir(root().join("docs")).expect("there are docs");
    let docs = docs.map(|page| page.expect("it can be listed").path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages
}

#[test]
fn every_link_leads_to_a_file() {
    for path in pages() {
        let folder = path.parent().expect("a page lies in a folder").to_owned();
        for link in page(&path).split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            assert!(folder.join(target).exists(), "{}: {target}", path.display());
        }
    }
}

#[test]
fn every_file_that_the_architecture_names_is_there() {
    let mut files = Vec::new();
    for sources in ["host/src", "host/sandbox/src", "host/tokens/src"] {
        list(&root().join(sources), &mut files);
    }
    let is_there = |path: &str| {
        let end = Path::new(path.trim_end_matches('/'));
        root().join(end).exists() || files.iter().any(|file| file.ends_with(end))
    };
    let text = page(&root().join("ARCHITECTURE.md"));
    let paths = text.split('`').skip(1).step_by(2);
    let paths: Vec<_> = paths
        .filter(|code| code.contains('/') || code.ends_with(".rs"))
        .collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        assert!(is_there(path), "{path}");
    }
}

/// Adds all that is below `directory`.
fn list(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            list(&path, files);
        }
        files.push(path);
    }
}

#[test]
fn every_flag_that_is_named_exists() {
    let help: String = commands().into_iter().map(|(_, help)| help).collect();
    // The page for gcloud's users names gcloud's flags, and the binary's own tests compare it with what becomes of them.
    let pages = pages()
        .into_iter()
        .filter(|page| !page.ends_with("gcloud.md"));
    for path in pages {
        for code in page(&path).split('`').skip(1).step_by(2) {
            let flag = code.split(' ').next().unwrap_or_default();
            if flag.starts_with("--") {
                assert!(help.contains(flag), "{}: {flag}", path.display());
            }
        }
    }
}

/// The components that the pages show beside the greeting.
const GUESTS: [&str; 6] = [
    "allocates",
    "calls_out",
    "counts_visits",
    "imports_unknown",
    "spins",
    "traps",
];

#[test]
fn every_command_that_is_shown_prints_what_is_shown() {
    // At once, because some pages wait for a job of the next minute.
    thread::scope(|scope| {
        for path in pages() {
            scope.spawn(move || {
                let text = page(&path);
                let shown = text.matches("\n$ ").count();
                let run = Walkthrough::run(&text, &GUESTS);
                assert_eq!(run, shown, "{}", path.display());
            });
        }
    });
}

#[test]
fn the_page_of_commands_is_the_help_of_the_binary() {
    let mut text = String::from(
        "# Commands\n\nWhat `host help COMMAND` prints. Made by `UPDATE_DOCS=1 cargo xtask test --test suite docs`.\n",
    );
    for (command, help) in commands() {
        let help = help.lines().map(str::trim_end).collect::<Vec<_>>();
        text.push_str(&format!(
            "\n## {command}\n\n```text\n{}\n```\n",
            help.join("\n").trim_end()
        ));
    }
    let path = root().join("docs/commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).expect("the page can be written");
    }
    assert!(page(&path) == text, "docs/commands.md is out of date");
}

#[test]
fn the_schema_of_the_configuration_is_the_one_that_the_binary_prints() {
    let printed = Host::command(["config", "schema"]).run();
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let path = root().join("docs/host.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &printed.stdout).expect("the file can be written");
    }
    assert!(
        page(&path) == printed.stdout,
        "docs/host.schema.json is out of date"
    );
}

/// All commands of the binary, as they are typed, each with its help.
fn commands() -> Vec<(String, String)> {
    let mut commands = Vec::new();
    collect("host", &mut commands);
    commands
}

fn collect(command: &str, commands: &mut Vec<(String, String)>) {
    let words = command.split(' ').skip(1);
    let help = Host::command(words).arg("--help").run();
    assert_eq!(help.code, Some(0), "{command}");
    commands.push((command.to_owned(), help.stdout.clone()));
    let verbs = help.stdout.lines().skip_while(|line| *line != "Commands:");
    let verbs = verbs.skip(1).take_while(|line| !line.is_empty());
    // What is set in further goes on with the line before.
    let verbs = verbs.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for verb in verbs.filter(|verb| !matches!(*verb, "" | "help")) {
        collect(&format!("{command} {verb}"), commands);
    }
}
