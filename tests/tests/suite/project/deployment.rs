//! The files of `deploy/` fit the binary.

use std::fs;
use std::path::Path;

use serde_json::Value;
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

/// The document of this kind in the manifest for Kubernetes.
#[track_caller]
fn manifest(kind: &str) -> Value {
    let text = file("kubernetes.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("it is YAML");
    let mut documents = documents.into_iter();
    let found = documents.find(|document| document["kind"] == kind);
    found.unwrap_or_else(|| panic!("there is no {kind}"))
}

fn container() -> Value {
    manifest("StatefulSet")["spec"]["template"]["spec"]["containers"][0].clone()
}

#[test]
fn the_probes_are_paths_of_the_control_plane() {
    let host = Host::serve("hello").start();
    for (probe, path) in [
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ] {
        let request = container()[probe]["httpGet"].clone();
        assert_eq!(
            (&request["path"], &request["port"]),
            (&path.into(), &"control".into())
        );
        assert_eq!(host.control_plane(path).status, 200, "{probe}");
    }
}

/// Until its functions are compiled a host does not answer, and one that is not yet started must not be taken for dead.
#[test]
fn a_pod_has_minutes_to_start_and_the_others_probes_wait_for_that() {
    let probe = container()["startupProbe"].clone();
    let number = |key: &str| probe[key].as_u64().expect("it is a number");
    assert!(number("periodSeconds") * number("failureThreshold") >= 300);
}

#[test]
fn a_pod_has_memory_for_executions_and_for_a_compilation() {
    let mebibytes = |memory: &Value| match memory.as_str().map(|text| text.split_at(text.len() - 2))
    {
        Some((number, "Mi")) => number.parse::<u64>().expect("it is a number"),
        Some((number, "Gi")) => 1024 * number.parse::<u64>().expect("it is a number"),
        _ => panic!("{memory:?} is not memory"),
    };
    let resources = &container()["resources"];
    let (requested, limit) = (
        &resources["requests"]["memory"],
        &resources["limits"]["memory"],
    );
    assert!(mebibytes(requested) >= 512, "{requested:?}");
    // Half of it is for executions.
    assert!(mebibytes(limit) / 2 >= 1024, "{limit:?}");
}

#[test]
fn the_volume_is_handed_to_the_user_of_the_image_once() {
    let security = &manifest("StatefulSet")["spec"]["template"]["spec"]["securityContext"];
    assert_eq!(security["fsGroup"], security["runAsGroup"]);
    assert_eq!(security["fsGroupChangePolicy"], "OnRootMismatch");
}

#[test]
fn only_the_namespace_that_monitors_reaches_the_control_plane() {
    let policy = &manifest("NetworkPolicy")["spec"];
    let labels = &manifest("StatefulSet")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&policy["podSelector"]["matchLabels"], labels);
    assert_eq!(policy["policyTypes"][0], "Ingress");
    let rules = policy["ingress"].as_array().expect("there are rules");
    let opens = |rule: &&Value, port: &str| {
        let ports = rule["ports"].as_array().expect("a rule names its ports");
        ports.iter().any(|open| open["port"] == port)
    };
    let functions: Vec<_> = rules
        .iter()
        .filter(|rule| opens(rule, "functions"))
        .collect();
    let control: Vec<_> = rules.iter().filter(|rule| opens(rule, "control")).collect();
    assert_eq!((functions.len(), control.len()), (1, 1));
    assert!(functions[0]["from"].is_null());
    let from = &control[0]["from"][0]["namespaceSelector"]["matchLabels"];
    assert_eq!(from["kubernetes.io/metadata.name"], "monitoring");
    // Ports go by their names, which are those of the container.
    let named: Vec<_> = container()["ports"]
        .as_array()
        .expect("there are ports")
        .iter()
        .map(|port| (port["name"].clone(), port["containerPort"].clone()))
        .collect();
    assert_eq!(
        named,
        [
            ("functions".into(), 8080.into()),
            ("control".into(), 8081.into())
        ]
    );
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
