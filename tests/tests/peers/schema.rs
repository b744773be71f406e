//! The schema of `host.toml`, as a validator of others' reads it, says what `host config check` says.
//!
//! The validator is PyPI's `jsonschema`, in the folder beside the one that `$HOST_PEERS` names.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Host, State, guest, page};

/// Tables that a host would take.
const GOOD: &[&str] = &[
    "",
    "[host]\n",
    "[host]\naddr = \"127.0.0.1:8080\"\nmax-executions = 10000\nqueue-length = 0\nlog-format = \"json\"\n",
    "[host]\nsigning-algorithm = \"EdDSA\"\nkeep-logs = false\nlog-retention = \"30d\"\nlog-max-size = \"10Gi\"\n",
    "[host]\npublic-urls = [\"https://functions.example.com\"]\nadmin-hosts = [\"admin.example.com\"]\n",
    "[functions.f]\nsource = \"hello.wasm\"\n",
    "[functions.a-b_C9]\nsource = \"hello.wasm\"\nmemory = \"064Mi\"\ntimeout = \"5\"\nmax-response-body = \"unlimited\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\nenv-vars = { A = \"1\" }\nlabels = { team = \"a\" }\nhosts = [\"a.example\"]\n",
    "[functions.f]\nsource = \"hello.wasm\"\ninvokers = [\"allUsers\"]\nallow-outbound = [\"https://a.example\"]\n",
    "[functions.f]\nsource = \"hello.wasm\"\n[[functions.f.invoker-rules]]\nissuer = \"https://a.example\"\n\
     claims = { repository = [\"a/b\", \"a/c\"], environment = \"production\" }\n",
    "[issuers.a]\nprovider = \"google\"\n",
    "[issuers.\"of any name\"]\nurl = \"https://a.example\"\naudiences = [\"a\"]\nleeway = \"10s\"\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\n",
    "[jobs.j]\nschedule = \"every 5 minutes\"\nuri = \"https://a.example/\"\ntime-zone = \"Australia/Sydney\"\n\
     http-method = \"put\"\nmessage-body = \"a\"\nheaders = { A = \"b\" }\noverlap = \"queue\"\ncatch-up = \"all\"\n\
     attempt-deadline = \"30s\"\nmax-retry-attempts = 5\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\nmax-retry-duration = \"0s\"\nmin-backoff = \"1.5s\"\n\
     max-backoff = \"PT1H30M\"\nattempt-deadline = \"1m30s\"\npaused = true\n",
    "[functions.f]\nsource = \"hello.wasm\"\ntimeout = \"1h30m\"\n",
];

/// Tables that neither takes.
const BAD: &[&str] = &[
    "[hosts]\n",
    "host = 1\n",
    "[host]\nadr = \"127.0.0.1:8080\"\n",
    "[host]\naddr = 8080\n",
    "[host]\nmax-executions = 0\n",
    "[host]\nmax-executions = 10001\n",
    "[host]\nworkers = 0\n",
    "[host]\nqueue-length = -1\n",
    "[host]\nlog-format = \"xml\"\n",
    "[host]\nkeep-logs = \"no\"\n",
    "[host]\nsigning-algorithm = \"HS256\"\n",
    "[host]\ntotal-memory = \"0\"\n",
    "[host]\nheader-timeout = \"0s\"\n",
    "[host]\npublic-urls = \"https://a.example\"\n",
    "[functions.f]\n",
    "[functions.1f]\nsource = \"hello.wasm\"\n",
    "[functions.f-]\nsource = \"hello.wasm\"\n",
    "[functions.\"a/b\"]\nsource = \"hello.wasm\"\n",
    "[functions.f]\nsource = [\"hello.wasm\"]\n",
    "[functions.f]\nsource = \"hello.wasm\"\nmemory = \"lots\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\nmemory = 1048576\n",
    "[functions.f]\nsource = \"hello.wasm\"\nmemory = \"1.5Gi\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\ntimeout = 5\n",
    "[functions.f]\nsource = \"hello.wasm\"\ntimeout = \"1x\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\nconcurrency = 0\n",
    "[functions.f]\nsource = \"hello.wasm\"\nallow-unauthenticated = \"yes\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\nenv-vars = { A = 1 }\n",
    "[functions.f]\nsource = \"hello.wasm\"\nmax-response-body = \"none\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\n[[functions.f.invoker-rules]]\nissuer = \"https://a.example\"\n",
    "[issuers.a]\nprovider = \"github\"\n",
    "[issuers.a]\nurls = [\"https://a.example\"]\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\n",
    "[jobs.\"a b\"]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\noverlap = \"never\"\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\nmax-retry-attempts = -1\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\nmin-backoff = \"0s\"\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\nmax-retry-duration = \"-1s\"\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\npaused = \"yes\"\n",
];

/// Tables whose fault is in what a value means, or beside what else there is: only `host config check` finds it.
const BEYOND_A_SCHEMA: &[&str] = &[
    "[host]\naddr = \"here\"\n",
    "[host]\ntls-cert = \"cert.pem\"\n",
    "[host]\nissuer-url = \"ftp://a.example\"\n",
    "[functions.f]\nsource = \"gone.wasm\"\n",
    "[functions.f]\nsource = \"hello.wasm\"\nsecrets = { A = \"gone\" }\n",
    "[functions.f]\nsource = \"hello.wasm\"\ninvokers = [\"somebody\"]\n",
    "[functions.f]\nsource = \"hello.wasm\"\nhosts = [\"a.example\"]\n\
     [functions.g]\nsource = \"hello.wasm\"\nhosts = [\"A.example\"]\n",
    "[jobs.j]\nschedule = \"61 * * * *\"\nuri = \"https://a.example/\"\n",
    "[jobs.j]\nschedule = \"0 * * * *\"\nuri = \"https://a.example/\"\ntime-zone = \"Mars/Olympus\"\n",
];

/// A directory with a component, the schema, and each of the texts as a file.
struct Examples {
    state: State,
    schema: PathBuf,
}

impl Examples {
    fn new() -> Self {
        let state = State::new();
        let component = fs::read(guest("hello")).expect("it can be read");
        state.file("hello.wasm", component);
        let printed = Host::command(["config", "schema"]).run();
        assert_eq!(printed.code, Some(0), "{printed:?}");
        let schema = state.file("schema.json", printed.stdout);
        Self { state, schema }
    }

    /// What the validator says of each text.
    #[track_caller]
    fn validate(&self, texts: &[&str]) -> Vec<String> {
        let peers = env::var_os("HOST_PEERS").expect("HOST_PEERS is not set");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/validate.py");
        let texts = texts.iter().enumerate();
        let files = texts.map(|(number, text)| self.state.file(&format!("{number}.toml"), text));
        let output = Command::new(Path::new(&peers).join("../venv/bin/python3"))
            .arg(script)
            .arg(&self.schema)
            .args(files)
            .output()
            .expect("Python runs");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).expect("it prints text");
        said.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_checked(&self, text: &str, code: i32) {
        let file = self.state.file("host.toml", text);
        let output = self.state.command(["config", "check"]).arg(file).run();
        assert_eq!(output.code, Some(code), "{text}: {output:?}");
    }

    /// That of each of the texts the validator says what begins like this, and `host config check` ends with this code.
    #[track_caller]
    fn assert_all(&self, texts: &[&str], verdict: &str, code: i32) {
        let said = self.validate(texts);
        assert_eq!(said.len(), texts.len());
        for (text, said) in texts.iter().zip(said) {
            assert!(said.starts_with(verdict), "{text}: {said}");
            self.assert_checked(text, code);
        }
    }
}

#[test]
fn what_a_host_would_take_is_allowed() {
    Examples::new().assert_all(GOOD, "allowed", 0);
}

#[test]
fn what_is_no_key_or_no_such_value_is_refused_by_both() {
    Examples::new().assert_all(BAD, "refused: ", 1);
}

#[test]
fn what_a_schema_cannot_say_is_found_by_the_check() {
    Examples::new().assert_all(BEYOND_A_SCHEMA, "allowed", 1);
}

#[test]
fn what_the_documentation_shows_is_allowed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let shown = page(&path);
    let shown: Vec<&str> = shown
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!shown.is_empty());
    Examples::new().assert_all(&shown, "allowed", 0);
}
