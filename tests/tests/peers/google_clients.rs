//! Google's own client libraries for Python and Node.js, pointed at a host. What they do is in `tests/google-clients`.
//!
//! `.ci/google-clients` installs them and prints their folder, which `$HOST_GOOGLE_CLIENTS` names here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tests::{Host, Issuer, State, guest};

const PROJECT: &str = "my-project";
/// Whom the issuer knows.
const PIPELINE: &str = "pipeline";

/// A host of a project, its owner's token, that of an account with a lesser role, and an issuer that it trusts.
struct Cloud {
    state: State,
    host: Host,
    issuer: Issuer,
    owner: String,
    viewer: String,
}

impl Cloud {
    fn start() -> Self {
        let (state, issuer) = (State::new(), Issuer::start());
        state.put_compiled("hello");
        let host = state
            .serve()
            .args(["--project", PROJECT, "--location", "us-central1"])
            .arg(format!("--issuer={}", issuer.url()))
            .start();
        let owner = state.access_token();
        let post = |path: &str, body: &Value| {
            host.called(&owner, &format!("POST /v1/projects/{PROJECT}{path}"), body)
        };
        for name in ["caller", "viewer"] {
            post("/serviceAccounts", &json!({ "accountId": name }));
        }
        let [caller, viewer] =
            ["caller", "viewer"].map(|name| format!("{name}@{PROJECT}.iam.gserviceaccount.com"));
        let members = [&caller, &viewer].map(|email| format!("serviceAccount:{email}"));
        let pipeline = issuer.principal(PIPELINE);
        let policy = json!({ "policy": { "bindings": [
            { "role": "roles/viewer", "members": [members[0], members[1], pipeline] },
            { "role": "roles/iam.serviceAccountTokenCreator", "members": [pipeline] },
        ]}});
        post(":setIamPolicy", &policy);
        let viewer = state.access_token_of(&viewer);
        Self {
            state,
            host,
            issuer,
            owner,
            viewer,
        }
    }
}

/// Runs `script` of `tests/google-clients` with `program`, on a host of its own.
#[track_caller]
fn run(program: &Path, script: &str) {
    let cloud = Cloud::start();
    let control_plane = format!("http://{}", cloud.host.admin_addr());
    let subject_token = cloud.issuer.token(PIPELINE, &control_plane);
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("google-clients");
    let output = Command::new(program)
        .arg(scripts.join(script))
        .env("CONTROL_PLANE", control_plane)
        .env("FUNCTIONS", format!("http://{}", cloud.host.addr()))
        .env("OWNER_TOKEN", &cloud.owner)
        .env("VIEWER_TOKEN", &cloud.viewer)
        .env(
            "SUBJECT_TOKEN_FILE",
            cloud.state.file("subject", subject_token),
        )
        .env("COMPONENT", guest("hello"))
        // No file beside the scripts, and nobody asked who this machine is.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_GCE_CHECK", "true")
        .env("METADATA_SERVER_DETECTION", "none")
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    let printed = String::from_utf8_lossy(&output.stdout);
    println!("{script}\n{printed}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    assert!(
        printed.lines().any(|line| line.starts_with("ok ")),
        "{script} has looked at nothing"
    );
}

fn installed() -> PathBuf {
    env::var_os("HOST_GOOGLE_CLIENTS")
        .expect("HOST_GOOGLE_CLIENTS is not set; .ci/google-clients prints it")
        .into()
}

#[track_caller]
fn run_python(script: &str) {
    run(
        &installed().join("venv/bin/python3"),
        &format!("python/{script}.py"),
    );
}

#[track_caller]
fn run_node(script: &str) {
    assert!(installed().join("node_modules").is_dir());
    run(Path::new("node"), &format!("node/{script}.mjs"));
}

#[test]
fn jobs_by_python() {
    run_python("scheduler");
}

#[test]
fn functions_of_the_first_generation_by_python() {
    run_python("functions_v1");
}

#[test]
fn functions_of_the_second_generation_by_python() {
    run_python("functions_v2");
}

#[test]
fn accounts_policies_and_tokens_by_python() {
    run_python("iam");
}

#[test]
fn credentials_of_python() {
    run_python("credentials");
}

#[test]
fn logs_by_python() {
    run_python("logs");
}

#[test]
fn jobs_by_node() {
    run_node("scheduler");
}

#[test]
fn functions_of_the_first_generation_by_node() {
    run_node("functions_v1");
}

#[test]
fn functions_of_the_second_generation_by_node() {
    run_node("functions_v2");
}

#[test]
fn logs_by_node() {
    run_node("logs");
}
