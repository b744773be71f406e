//! The documentation says what is so.

use std::fs;
use std::path::{Path, PathBuf};

use tests::{Host, Walkthrough, page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
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
fn every_flag_that_is_named_exists() {
    let help: String = COMMANDS
        .iter()
        .map(|command| {
            Host::command(command.split(' ').skip(1))
                .arg("--help")
                .run()
                .stdout
        })
        .collect();
    for path in pages() {
        for code in page(&path).split('`').skip(1).step_by(2) {
            let flag = code.split(' ').next().unwrap_or_default();
            if flag.starts_with("--") {
                assert!(help.contains(flag), "{}: {flag}", path.display());
            }
        }
    }
}

/// The components that the pages show beside the greeting.
const GUESTS: [&str; 5] = [
    "allocates",
    "calls_out",
    "imports_unknown",
    "spins",
    "traps",
];

#[test]
fn every_command_that_is_shown_prints_what_is_shown() {
    for path in pages() {
        let text = page(&path);
        let shown = text.matches("\n$ ").count();
        assert_eq!(
            Walkthrough::run(&text, &GUESTS),
            shown,
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_page_of_commands_is_the_help_of_the_binary() {
    let mut text = String::from(
        "# Commands\n\nWhat `host help COMMAND` prints. Made by `UPDATE_DOCS=1 cargo xtask test docs`.\n",
    );
    for command in COMMANDS {
        let help = Host::command(command.split(' ').skip(1))
            .arg("--help")
            .run();
        assert_eq!(help.code, Some(0), "{command}");
        let help = help.stdout.lines().map(str::trim_end).collect::<Vec<_>>();
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

/// Commands of the binary, each with its page's heading.
const COMMANDS: [&str; 48] = [
    "host",
    "host serve",
    "host functions",
    "host functions deploy",
    "host functions list",
    "host functions describe",
    "host functions delete",
    "host functions call",
    "host functions add-iam-policy-binding",
    "host functions remove-iam-policy-binding",
    "host functions get-iam-policy",
    "host functions logs read",
    "host scheduler",
    "host scheduler next",
    "host scheduler jobs",
    "host scheduler jobs create http",
    "host scheduler jobs update http",
    "host scheduler jobs list",
    "host scheduler jobs describe",
    "host scheduler jobs pause",
    "host scheduler jobs resume",
    "host scheduler jobs run",
    "host scheduler jobs delete",
    "host scheduler jobs runs",
    "host scheduler jobs runs list",
    "host scheduler jobs runs describe",
    "host iam",
    "host iam service-accounts",
    "host iam service-accounts create",
    "host iam service-accounts list",
    "host iam service-accounts describe",
    "host iam service-accounts delete",
    "host iam keys list",
    "host iam keys rotate",
    "host auth",
    "host auth print-identity-token",
    "host auth explain",
    "host auth doctor",
    "host auth revoke",
    "host config check",
    "host config schema",
    "host check",
    "host state backup",
    "host state restore",
    "host new",
    "host quickstart",
    "host completion",
    "host man",
];
