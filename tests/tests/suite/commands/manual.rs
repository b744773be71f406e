//! What the program says of itself.

use std::fs;

use tests::{Directory, Host};

#[test]
fn the_version_names_the_commit_and_wasmtime() {
    let output = Host::command(["--version"]).run();
    assert_eq!(output.code, Some(0));
    let version = output.stdout.trim();
    assert!(version.starts_with("host 0."), "{version}");
    assert!(
        version.contains("(commit ") && version.contains(", wasmtime 48."),
        "{version}"
    );
    assert_eq!(version.lines().count(), 1);
}

#[test]
fn completions_come_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Host::command(["completion", shell]).run();
        assert_eq!(output.code, Some(0), "{shell}");
        let asks = format!("complete {shell} --");
        assert!(output.stdout.contains(&asks), "{shell}: {output:?}");
    }
    let unknown = Host::command(["completion", "tcsh"]).run();
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("bash"), "{unknown:?}");
}

#[test]
fn every_command_has_a_manual_page() {
    let page = Host::command(["man"]).run();
    assert_eq!(page.code, Some(0));
    assert!(page.stdout.contains(".TH host 1"), "{}", page.stdout);
    for section in ["FILES", "ENVIRONMENT", "EXIT STATUS"] {
        let head = format!("\n.SH {section}\n");
        assert!(page.stdout.contains(&head), "{section}: {}", page.stdout);
    }
    let directory = Directory::new();
    let output = Host::command(["man", "--out"]).arg(directory.path()).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let pages = fs::read_dir(directory.path()).unwrap();
    let names: Vec<_> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in ["host.1", "host-serve.1", "host-functions-logs-read.1"] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
    assert!(
        !names.iter().any(|name| name == "host-complete.1"),
        "{names:?}"
    );
}
