//! The files of `deploy/` fit the binary.

use std::fs;
use std::path::Path;

use tests::Host;

#[track_caller]
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The flags of `host serve` in a text.
fn flags(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || ",[]\"".contains(c));
    words.filter(|word| word.starts_with("--")).collect()
}

#[test]
fn the_commands_that_are_deployed_have_flags_that_there_are() {
    let help = Host::command(["serve", "--help"]).run().stdout;
    let lines = [
        ("host.service", "ExecStart="),
        ("Containerfile", "CMD "),
        ("kubernetes.yaml", "args:"),
    ];
    for (name, prefix) in lines {
        let text = file(name);
        let mut lines = text.lines().map(str::trim);
        let command = lines.find(|line| line.starts_with(prefix));
        let command = command.unwrap_or_else(|| panic!("{name} starts nothing"));
        let flags = flags(command);
        assert_eq!(flags.len(), 3, "{name}: {command}");
        for flag in flags {
            assert!(help.contains(flag), "{name}: {flag}");
        }
    }
}

#[test]
fn the_probes_are_paths_of_the_control_plane() {
    let host = Host::serve("hello").start();
    let manifest = file("kubernetes.yaml");
    let paths: Vec<_> = manifest
        .split("path: ")
        .skip(1)
        .filter_map(|rest| rest.split(',').next())
        .collect();
    assert_eq!(paths, ["/healthz", "/readyz"]);
    for path in paths {
        assert_eq!(host.control_plane(path).status, 200, "{path}");
    }
}

#[test]
fn the_sockets_are_those_that_the_service_would_open() {
    let (service, socket) = (file("host.service"), file("host.socket"));
    let streams: Vec<_> = socket
        .lines()
        .filter_map(|line| line.strip_prefix("ListenStream="))
        .collect();
    let [addr, admin_addr] = streams[..] else {
        panic!("two sockets are expected: {socket}");
    };
    assert!(service.contains(&format!("--addr {addr} --admin-addr {admin_addr} ")));
}
