//! The files of `deploy/` fit the binary.

use std::fs;
use std::path::Path;

use tests::{Host, State};

#[track_caller]
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The arguments that the line which begins with `prefix` gives to `host`.
#[track_caller]
fn arguments(name: &str, prefix: &str) -> Vec<String> {
    let text = file(name);
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(prefix));
    let line = line.unwrap_or_else(|| panic!("{name} starts nothing"));
    let words = line.split(|c: char| c.is_whitespace() || ",[]\"".contains(c));
    let words = words.filter(|word| !word.is_empty() && *word != "/usr/local/bin/host");
    words.map(str::to_owned).collect()
}

#[test]
fn the_commands_that_are_deployed_start_a_host() {
    for (name, prefix) in [
        ("host.service", "ExecStart="),
        ("Containerfile", "CMD "),
        ("kubernetes.yaml", "args: "),
    ] {
        let state = State::new();
        let arguments = arguments(name, prefix).into_iter();
        // Ports and a directory of this test's own in the place of those.
        let arguments = arguments.map(|word| match word.as_str() {
            "/var/lib/host" => state.path().display().to_string(),
            word => word.replace(":8080", ":0").replace(":8081", ":0"),
        });
        let host = state.command(arguments).start();
        assert_eq!(host.control_plane("/readyz").status, 200, "{name}");
    }
}

#[test]
fn the_state_of_a_container_is_below_its_volume() {
    assert!(file("Containerfile").contains("\nVOLUME /state\nENV HOST_STATE_DIR=/state/host\n"));
    let manifest = file("kubernetes.yaml");
    assert!(manifest.contains("{name: HOST_STATE_DIR, value: /state/host}"));
    assert!(manifest.contains("mountPath: /state}"));
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
