use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// A file with `text` in a directory of its own.
struct Scratch(TempDir);

impl Scratch {
    fn new(text: &str) -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        std::fs::write(scratch.path("host.toml"), text).unwrap();
        scratch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self) -> Result<ConfigFile, ConfigError> {
        ConfigFile::read(&self.path("host.toml"))
    }
}

/// What is said of `text`, after the file's path.
fn refusal(text: &str) -> String {
    let scratch = Scratch::new(text);
    let error = scratch.read().unwrap_err().to_string();
    let path = scratch.path("host.toml").display().to_string();
    error.strip_prefix(&path).unwrap().to_owned()
}

#[test]
fn an_empty_file_declares_nothing() {
    let scratch = Scratch::new("");
    let file = scratch.read().unwrap();
    assert_eq!(file.host(), HostSettings::default());
    assert_eq!(file.functions(), []);
}

#[test]
fn paths_begin_at_the_directory_of_the_file() {
    let scratch =
        Scratch::new("[host]\nstate-dir = \"state\"\n[functions.a]\nsource = \"a.wasm\"\n");
    let file = scratch.read().unwrap();
    assert_eq!(file.host().state_dir, Some(scratch.path("state")));
    assert_eq!(file.functions()[0].source, scratch.path("a.wasm"));
}

#[test]
fn rights_are_read_though_something_else_makes_no_sense() {
    let text = r#"
        [functions.a]
        source = "a.wasm"
        secrets = { A = "/no/such/file" }
        invokers = ["user:a@example.com"]
        [functions.b]
        source = "b.wasm"
        invokers = ["group:b", "user:b@example.com"]
        [issuers.one]
        url = "https://one.example"
        ca-file = "missing.pem"
        [issuers.other]
        provider = "nobody"
    "#;
    let scratch = Scratch::new(text);
    assert!(scratch.read().is_err());
    let rights = ConfigFile::parse(&scratch.path("host.toml"))
        .unwrap()
        .rights();
    let of = |name: &str| rights.functions[&name.parse().unwrap()].clone();
    for (function, member) in [("a", "user:a@example.com"), ("b", "user:b@example.com")] {
        let invokers: Vec<_> = of(function).invokers.into_iter().collect();
        assert_eq!(invokers, [member], "{function}");
    }
    let issuers: Vec<_> = rights
        .issuers
        .iter()
        .map(|issuer| issuer.as_str())
        .collect();
    assert_eq!(issuers, ["https://one.example"]);
}

#[test]
fn settings_are_those_of_the_command_line() {
    let text = r#"
        [functions.a]
        source = "/a.wasm"
        memory = "64Mi"
        timeout = "5m"
        max-instances = 3
        max-response-body = "unlimited"
        allow-unauthenticated = true
        env-vars = { A = "1" }
        config = { C = "2" }
        keyvalue-entries = 5
        keyvalue-bytes = "1Mi"
        keyvalue-buckets = ["ours"]
        allow-outbound = ["https://api.example.com"]
        hosts = ["API.example.com"]
    "#;
    let declared = Scratch::new(text).read().unwrap().functions();
    let expected = FunctionSettings {
        memory: 64 << 20,
        timeout: Duration::from_secs(300),
        max_instances: Some(3),
        max_response_body: None,
        allow_unauthenticated: true,
        environment: [("A".into(), "1".into())].into(),
        config: [("C".into(), "2".into())].into(),
        keyvalue_entries: 5,
        keyvalue_bytes: 1 << 20,
        keyvalue_buckets: vec!["ours".into()],
        allow_outbound: vec!["https://api.example.com".into()],
        hosts: vec!["api.example.com".into()],
        ..FunctionSettings::default()
    };
    assert_eq!(declared[0].settings, expected);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_column() {
    let cases = [
        ("[host", ":1:6: "),
        (
            "[host]\nadr = 1\n",
            ":2:1: unknown key `adr`; did you mean `addr`?",
        ),
        (
            "[hosts]\n",
            ":1:2: unknown key `hosts`; did you mean `host`?",
        ),
        ("[functions.a]\n", ":1:1: missing field `source`"),
        (
            "[functions.1a]\nsource = \"a\"\n",
            ":1:12: `1a` is not a function name",
        ),
        (
            "[functions.a]\nsource = \"a\"\nmemory = \"lots\"\n",
            ":3:10: `lots` is not a size",
        ),
        (
            "[functions.a]\nsource = \"a\"\ntimeout = 5\n",
            ":3:11: invalid type: integer `5`",
        ),
        (
            "[functions.a]\nsource = \"a\"\nallow-outbound = [\"ftp://x\"]\n",
            ":3:19: ",
        ),
        (
            "[functions.a]\nsource = \"a\"\nhosts = [\"x:1\"]\n",
            ":3:10: `x:1` is not a host name",
        ),
        (
            "[functions.a]\nsource = \"a\"\nkeyvalue-buckets = [\"default\"]\n",
            ":3:21: `default` is not the name of a shared bucket",
        ),
        (
            "[functions.a]\nsource = \"a\"\nsecrets = { K = \"gone\" }\n",
            ":3:17: cannot read the secret",
        ),
        (
            "[functions.a]\nsource = \"a\"\nhosts = [\"x\"]\n[functions.b]\nsource = \"b\"\nhosts = [\"X\"]\n",
            ":6:10: the host name leads to the function `a` already",
        ),
        (
            "[functions.a]\nsource = \"a\"\nconcurrency = 2305843009213693952\n",
            ":3:15: `2305843009213693952` is not a number of executions; expected 1 to 10000",
        ),
        (
            "[host]\nmax-executions = 0\n",
            ":2:18: `0` is not a number of executions",
        ),
        ("[host]\nissuer-url = \"ftp://a\"\n", ":2:14: "),
        (
            "[host]\npublic-urls = [\"https://a.example\", \"b\"]\n",
            ":2:37: `b` is not an address of this host",
        ),
        ("[host]\nsigning-algorithm = \"HS256\"\n", ":2:21: "),
        (
            "[host]\notlp-endpoint = \"collector\"\n",
            ":2:17: `collector` is no address of a collector",
        ),
        ("[host]\njob-allow-outbound = [\"ftp://x\"]\n", ":2:23: "),
        (
            "[issuers.a]\nurl = \"https://a.example\"\n[issuers.b]\nurl = \"https://a.example\"\n",
            ":3:10: two issuers go by the name https://a.example",
        ),
        (
            "[host]\nissuer-url = \"https://a.example\"\n[issuers.b]\nurl = \"https://a.example\"\n",
            ":3:10: two issuers go by the name https://a.example",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a:65536/\"\n",
            ":3:7: `http://a:65536/` is not a target: its port is `65536`; expected 1 to 65535",
        ),
        (
            "[jobs.a]\nschedule = \"@never\"\nuri = \"http://a/\"\n",
            ":2:12: `@never` is not known",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\ntime-zone = \"Mars/Olympus\"\n",
            ":4:13: `Mars/Olympus` is not a time zone",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\nmin-backoff = \"50ms\"\n",
            ":4:15: the shortest backoff is 50ms; expected 100ms to",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\nmax-retry-duration = \"soon\"\n",
            ":4:22: `soon` is not a duration",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\nmax-retry-attempts = 6\n",
            ":4:22: the number of retries is 6",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\n[jobs.a.headers]\nB = \"1\"\nTraceparent = \"1\"\n",
            ":6:1: the header `traceparent` is set by the host",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\nheaders = { A = \"1\", a = \"2\" }\n",
            ":4:22: the header `a` is given twice",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"http://a/\"\nmessage-body-from-file = \"gone\"\n",
            ":4:26: cannot read ",
        ),
        (
            "[jobs.b]\nschedule = \"@daily\"\nuri = \"http://a/\"\n[jobs.a]\nschedule = \"@daily\"\n",
            ":4:1: missing field `uri`",
        ),
        (
            "[host]\ntls-cert = \"c\"\n",
            ": tls-cert and tls-key go together",
        ),
    ];
    for (text, expected) in cases {
        let refusal = refusal(text);
        assert!(refusal.starts_with(expected), "{text}: {refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn a_directory_is_no_configuration() {
    let error = ConfigFile::read(&std::env::temp_dir()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected one in TOML, such as host.toml")
    );
}
