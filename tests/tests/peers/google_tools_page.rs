//! The examples of docs/google-tools.md, each run as it stands there, on a host of its own.
//!
//! Of a section, the blocks marked `sh` are commands, those marked `python` and `js` are programs that are run in their place,
//! and what a block marked `text` has is among what they print. The ports 8080 and 8081 stand for those that the host took.

use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::json;
use tests::{FREE_PORTS, Host, Issuer, State, guest, host_binary, page};

/// Sets what the tools need, as the page has it before its first section.
const ENVIRONMENT: &str = "eval \"$(host auth gcloud-env)\"";
/// The kinds of blocks that are programs: how a block is marked, the ending of its file, and what runs it.
const PROGRAMS: [(&str, &str, &str); 2] = [("python", "py", "python3"), ("js", "mjs", "node")];

fn text() -> String {
    page(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/google-tools.md"))
}

/// The section with this title.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let title = format!("{title}\n");
    let section = text.split("\n## ").find(|part| part.starts_with(&title));
    section.unwrap_or_else(|| panic!("no section {title}"))
}

/// A host as the page has it started, and a folder as the examples need one.
struct Example {
    state: State,
    host: Host,
}

impl Example {
    fn start(text: &str) -> Self {
        let (before, _) = text.split_once("\n## ").expect("there are sections");
        assert!(before.contains(ENVIRONMENT), "{before}");
        let serve = blocks(before).find_map(|(_, block)| block.trim().strip_prefix("host serve "));
        let arguments = serve.expect("the page says how to serve").split(' ');
        let state = State::new();
        state.put_compiled("hello");
        let (hello, bin) = (state.beside().join("hello"), state.beside().join("bin"));
        for folder in [&hello, &bin] {
            fs::create_dir(folder).expect("a folder can be made");
        }
        fs::copy(guest("hello"), hello.join("hello.wasm")).expect("it can be copied");
        symlink(host_binary(), bin.join("host")).expect("a link can be made");
        let host = state.command(["serve"]).args(FREE_PORTS).args(arguments);
        let host = host.start();
        Self { state, host }
    }

    /// `text` with the ports of this host.
    fn real(&self, text: &str) -> String {
        let (addr, admin) = (self.host.addr().port(), self.host.admin_addr().port());
        text.replace(":8080", &format!(":{addr}"))
            .replace(":8081", &format!(":{admin}"))
            .replace("port: 8081", &format!("port: {admin}"))
    }

    /// What a shell runs for `section`.
    fn script(&self, section: &str) -> String {
        let mut script = format!("set -euo pipefail\n{ENVIRONMENT}\n");
        for (kind, block) in blocks(section) {
            let program = PROGRAMS.iter().find(|(of, ..)| *of == kind);
            if let Some((_, ending, program)) = program {
                let file = format!("example.{ending}");
                self.state.file(&file, self.real(block));
                script += &format!("{program} {file}\n");
            } else if kind == "sh" {
                script += &self.real(block);
            }
        }
        script
    }
}

/// Runs the section with this title, where `programs` are, beside those on the path.
#[track_caller]
fn run(title: &str, programs: Option<PathBuf>) {
    let text = text();
    let section = section(&text, title);
    let example = Example::start(&text);
    let folder = example.state.beside();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [folder.join("bin")]
        .into_iter()
        .chain(programs)
        .chain(env::split_paths(&path));
    if let Some(clients) = env::var_os("HOST_GOOGLE_CLIENTS") {
        let modules = Path::new(&clients).join("node_modules");
        symlink(modules, folder.join("node_modules")).expect("a link can be made");
    }
    let output = Command::new("bash")
        .args(["-c", &example.script(section)])
        .current_dir(folder)
        .env("PATH", env::join_paths(path).expect("they can be joined"))
        .env("HOST_STATE_DIR", example.state.path())
        // Nobody is asked who this machine is.
        .env("NO_GCE_CHECK", "true")
        .env("METADATA_SERVER_DETECTION", "none")
        .output()
        .unwrap_or_else(|error| panic!("cannot run bash: {error}"));
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    println!("{printed}");
    assert!(output.status.success(), "{title}");
    let expected = blocks(section).filter(|(kind, _)| *kind == "text");
    let expected: Vec<_> = expected.flat_map(|(_, block)| block.lines()).collect();
    assert!(
        !expected.is_empty(),
        "{title}: nothing is said of what is printed"
    );
    for line in expected {
        assert!(printed.contains(line), "{title}: not printed: {line}");
    }
}

/// The blocks of `text`, each with how it is marked.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split("```").skip(1).step_by(2);
    parts.filter_map(|part| part.split_once('\n'))
}

fn installed() -> PathBuf {
    env::var_os("HOST_GOOGLE_CLIENTS")
        .expect("HOST_GOOGLE_CLIENTS is not set; .ci/google-clients prints it")
        .into()
}

#[test]
fn by_gcloud() {
    let path = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|folder| folder.join("gcloud").is_file()) {
        println!("skipped: gcloud is not installed");
        return;
    }
    run("gcloud", None);
}

#[test]
fn by_python() {
    run("Python", Some(installed().join("venv/bin")));
}

#[test]
fn by_node() {
    assert!(installed().join("node_modules").is_dir());
    run("Node.js", None);
}

#[test]
fn by_curl() {
    run("curl", None);
}

/// Answers every request with `token`, as GitHub does in a job that may have one.
fn id_tokens(token: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("a listener has an address");
    let body = json!({ "value": token }).to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            // A small request comes at once, and whoever sent it may be gone.
            let _ = stream.read(&mut head);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
            );
        }
    });
    addr
}

#[test]
fn by_a_pipeline() {
    const SUBJECT: &str = "repo:octo/app:ref:refs/heads/main";
    let text = text();
    let section = section(&text, "A pipeline without a secret");
    assert!(section.contains(&format!("#{SUBJECT}\n")));
    let (_, workflow) = blocks(section)
        .find(|(kind, _)| *kind == "yaml")
        .expect("there is a workflow");
    let (_, script) = workflow.rsplit_once("- run: |\n").expect("it has a script");

    let (state, issuer) = (State::new(), Issuer::start());
    state.deploy("hello_world", "hello", &[]);
    let host = state
        .serve()
        .arg(format!("--issuer={}", issuer.url()))
        .start();
    let location = "projects/local/locations/local";
    let policy = json!({ "policy": { "bindings": [
        { "role": "roles/cloudfunctions.developer", "members": [issuer.principal(SUBJECT)] },
    ]}});
    let set = format!("POST /v2/{location}/functions/hello_world:setIamPolicy");
    host.called(&state.access_token(), &set, &policy);

    let api = format!("http://{}", host.admin_addr());
    let github = id_tokens(&issuer.token(SUBJECT, &api));
    let built = state.beside().join("target/wasm32-wasip2/release");
    fs::create_dir_all(&built).expect("a folder can be made");
    fs::copy(guest("hello"), built.join("hello.wasm")).expect("it can be copied");
    let output = Command::new("bash")
        .args(["-eo", "pipefail", "-c", script])
        .current_dir(state.beside())
        .env("API", &api)
        .env("LOCATION", location)
        .env("FUNCTION", "hello_world")
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("http://{github}/?v=1"),
        )
        .output()
        .unwrap_or_else(|error| panic!("cannot run bash: {error}"));
    assert!(output.status.success(), "{output:?}");
    let get = format!("GET /v2/{location}/functions/hello_world");
    let function = host.called(&state.access_token(), &get, &json!(null));
    assert_eq!(function["host"]["revision"], 2, "{function}");
}
