//! The documentation says what is so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::Host;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    let docs = fs::read_dir(root().join("docs")).expect("there are docs");
    pages.extend(docs.map(|page| page.expect("it can be listed").path()));
    pages
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_link_leads_to_a_file() {
    for page in pages() {
        let folder = page.parent().expect("a page lies in a folder").to_owned();
        for link in text(&page).split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            assert!(folder.join(target).exists(), "{}: {target}", page.display());
        }
    }
}

#[test]
fn every_flag_that_is_shown_exists() {
    let help = Host::command(["serve", "--help"]).run().stdout;
    for page in [root().join("docs/serve.md"), root().join("docs/sandbox.md")] {
        for code in text(&page).split('`').skip(1).step_by(2) {
            let flag = code.split(' ').next().unwrap_or_default();
            if flag.starts_with("--") && flag != "--help" {
                assert!(help.contains(flag), "{}: {flag}", page.display());
            }
        }
    }
}

/// The tour's commands, as they stand, but for the port.
#[test]
fn the_tour_shows_what_happens() {
    let host = Host::serve("hello").start();
    let readme = text(&root().join("README.md"));
    let blocks = readme.split("```console\n").skip(1);
    let mut commands = 0;
    for block in blocks {
        let block = block.split("```").next().unwrap_or_default();
        let mut lines = block.lines();
        while let (Some(command), Some(expected)) = (lines.next(), lines.next()) {
            let command = command.strip_prefix("$ ").expect("a command comes first");
            let command = command.replace("127.0.0.1:8080", &host.addr().to_string());
            let output = Command::new("sh").args(["-c", &command]).output();
            let output = output.expect("there is a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
            commands += 1;
        }
    }
    assert_eq!(commands, 2);
}
