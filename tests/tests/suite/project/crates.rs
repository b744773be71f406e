//! The libraries of this workspace: what they are built of, and what they show to programs that use them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use tests::{page, public_api};

/// Each library, the folder it is in, and the crates that it is built without.
const LIBRARIES: [(&str, &str, &[&str]); 2] = [
    (
        "host-sandbox",
        "host/sandbox",
        &[
            "clap",
            "host",
            "host-tokens",
            "libsqlite3-sys",
            "mimalloc",
            "prost",
            "rusqlite",
            "serde-saphyr",
            "toml",
        ],
    ),
    (
        "host-tokens",
        "host/tokens",
        &[
            "clap",
            "host",
            "host-sandbox",
            "hyper",
            "libsqlite3-sys",
            "mimalloc",
            "prost",
            "rusqlite",
            "serde-saphyr",
            "toml",
            "wasmtime",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `cargo metadata` says that is looked at here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

/// A package, and what it depends on.
#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// Nothing for what a crate is built of, else `dev` or `build`.
    kind: Option<String>,
}

impl Metadata {
    /// Of this workspace, on the platform that runs the tests.
    fn read() -> Self {
        let version = output(Command::new("rustc").arg("-vV"));
        let mut lines = version.lines();
        let platform = lines.find_map(|line| line.strip_prefix("host: "));
        let platform = platform.expect("rustc tells its platform");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let text = output(
            Command::new(cargo)
                .args(["metadata", "--locked", "--format-version=1"])
                .arg(format!("--filter-platform={platform}"))
                .current_dir(root()),
        );
        serde_json::from_str(&text).expect("cargo writes JSON")
    }

    /// The names of all that `name` is built of, itself included.
    fn tree(&self, name: &str) -> BTreeSet<&str> {
        let names = self.packages.iter();
        let names: BTreeMap<&str, &str> = names
            .map(|package| (package.id.as_str(), package.name.as_str()))
            .collect();
        let nodes = self.resolve.nodes.iter();
        let nodes: BTreeMap<&str, &Node> = nodes.map(|node| (node.id.as_str(), node)).collect();
        let mut found = BTreeSet::new();
        let mut to_visit: Vec<&str> = names
            .iter()
            .filter(|(_, own)| **own == name)
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(to_visit.len(), 1, "there is one {name}");
        while let Some(id) = to_visit.pop() {
            if !found.insert(id) {
                continue;
            }
            let is_built_in = |dependency: &&Dependency| {
                let mut kinds = dependency.dep_kinds.iter();
                kinds.any(|kind| kind.kind.is_none())
            };
            let dependencies = nodes[id].deps.iter().filter(is_built_in);
            to_visit.extend(dependencies.map(|dependency| dependency.pkg.as_str()));
        }
        found.into_iter().map(|id| names[id]).collect()
    }
}

fn output(command: &mut Command) -> String {
    let done = command.output().expect("it runs");
    assert!(
        done.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).expect("it prints UTF-8")
}

#[test]
fn a_library_is_built_without_what_it_does_not_need() {
    let metadata = Metadata::read();
    // The host has all of it, so each of these names is one that would be found.
    let host = metadata.tree("host");
    for (name, _, unwanted) in LIBRARIES {
        let tree = metadata.tree(name);
        for other in unwanted {
            assert!(host.contains(other), "the host is not built of {other}");
            assert!(!tree.contains(other), "{name} is built of {other}");
        }
    }
}

#[test]
fn the_public_surface_of_a_library_is_the_one_that_is_written_down() {
    for (name, folder, _) in LIBRARIES {
        let directory = root().join(folder);
        let surface = format!(
            "// What {name} exports. Made by `UPDATE_DOCS=1 cargo xtask test --test suite crates`.\n\n{}",
            public_api(&directory.join("src"))
        );
        let path = directory.join("public-api.txt");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &surface).expect("the file can be written");
        }
        assert!(page(&path) == surface, "{} is out of date", path.display());
    }
}
