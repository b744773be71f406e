//! `host functions call`: what it prints and how it ends, also where the host speaks TLS or is known by another address.

use std::net::TcpListener;
use std::path::PathBuf;

use tests::{Certificate, Host, HostBuilder, Output, State};

struct Secured {
    state: State,
    host: Host,
    certificate: PathBuf,
}

impl Secured {
    fn start(serve: impl FnOnce(&State) -> HostBuilder) -> Self {
        Self::showing(&Certificate::new(), serve)
    }

    fn showing(certificate: &Certificate, serve: impl FnOnce(&State) -> HostBuilder) -> Self {
        let state = State::new();
        let (certificate, key) = certificate.write_to(state.beside());
        let host = serve(&state)
            .arg("--tls-cert")
            .arg(&certificate)
            .arg("--tls-key")
            .arg(key)
            .start();
        state.deploy("greet", "hello", &[]);
        Self {
            state,
            host,
            certificate,
        }
    }

    fn call(&self, ca_file: Option<&PathBuf>) -> Output {
        let call = self.state.functions(["call", "greet"]);
        match ca_file {
            Some(file) => call.arg("--ca-file").arg(file).run(),
            None => call.run(),
        }
    }
}

#[test]
fn call_prints_the_execution_and_its_result() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    let host = state.serve().start();
    let output = state
        .functions(["call", "greet", "--data", r#"{"name":"Ada"}"#])
        .run();
    assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    let [first, "result: Hello Ada!"] = lines.as_slice() else {
        panic!("two lines: {lines:?}");
    };
    let id = first.strip_prefix("executionId: ").expect("it begins so");
    assert_eq!(host.entries_of_execution(id)[0].name, "greet");
    let without_data = state.functions(["call", "greet"]).run();
    assert!(
        without_data.stdout.ends_with("result: Hello World!\n"),
        "{without_data:?}"
    );
}

#[test]
fn call_ends_with_1_where_the_function_answers_with_an_error() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    state.deploy("bad", "traps", &[]);
    let _host = state.serve().start();
    for (name, data, status) in [("greet", "no JSON", "400"), ("bad", "{}", "500")] {
        let output = state.functions(["call", name, "--data", data]).run();
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stdout.starts_with("executionId: "), "{output:?}");
        assert!(output.stdout.contains("\nerror: "), "{output:?}");
        assert!(!output.stdout.contains("result: "), "{output:?}");
        assert!(output.stderr.starts_with("error: "), "{output:?}");
        assert!(output.stderr.contains(status), "{output:?}");
    }
}

#[test]
fn call_says_so_where_no_host_serves() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    let assert_refused = || {
        let refused = state.functions(["call", "greet"]).run();
        assert_eq!((refused.code, &*refused.stdout), (Some(1), ""));
        let errors = refused.stderr.matches("error: no host serves");
        assert_eq!(errors.count(), 1, "{refused:?}");
    };
    assert_refused();
    drop(state.serve().start());
    assert_refused();
}

#[test]
fn what_a_function_answers_does_not_steer_the_terminal() {
    let state = State::new();
    state.deploy("echo", "echoes", &[]);
    let _host = state.serve().start();
    let data = "\u{1b}[31mred\u{1b}[0m\u{9b}2J \u{7} two\nlines\nexecutionId: forged";
    let output = state.functions(["call", "echo", "--data", data]).run();
    assert_eq!(output.stdout.lines().count(), 2, "{output:?}");
    let is_control = |c: char| c.is_control() && c != '\n';
    assert!(!output.stdout.contains(is_control), "{output:?}");
}

#[test]
fn a_host_is_called_over_tls_if_its_certificate_is_trusted() {
    let secured = Secured::start(State::serve);
    let called = secured.call(Some(&secured.certificate));
    assert_eq!(called.code, Some(0), "{called:?}");
    assert!(called.stdout.ends_with("result: Hello World!\n"));
    let untrusted = secured.call(None);
    assert_eq!((untrusted.code, &*untrusted.stdout), (Some(1), ""));
    assert!(untrusted.stderr.contains("certificate"), "{untrusted:?}");
    assert_eq!(untrusted.stderr.lines().count(), 1, "{untrusted:?}");
}

#[test]
fn a_self_signed_certificate_as_openssl_makes_it_is_trusted_by_its_file() {
    let certificate = Certificate::of_authority(&["localhost", "127.0.0.1"]);
    let secured = Secured::showing(&certificate, State::serve);
    let called = secured.call(Some(&secured.certificate));
    assert_eq!(called.code, Some(0), "{called:?}");
    let untrusted = secured.call(None);
    assert!(untrusted.stderr.contains("CA:TRUE"), "{untrusted:?}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_in_words() {
    for (certificate, words) in [
        (
            Certificate::expired(),
            "has expired: it was good until 2021-01-01",
        ),
        (Certificate::of(&["b.example"]), "it is for b.example"),
    ] {
        let secured = Secured::showing(&certificate, State::serve);
        let called = secured.call(Some(&secured.certificate));
        assert_eq!(called.code, Some(1));
        assert!(called.stderr.contains(words), "{called:?}");
        assert_eq!(called.stderr.lines().count(), 1, "{called:?}");
    }
}

#[test]
fn a_file_without_certificates_is_refused() {
    let secured = Secured::start(State::serve);
    let empty = secured.state.file("empty.pem", "");
    let refused = secured.call(Some(&empty));
    assert_eq!((refused.code, &*refused.stdout), (Some(1), ""));
    assert!(
        refused.stderr.contains("expected certificates in PEM"),
        "{refused:?}"
    );
}

#[test]
fn a_host_is_shown_and_called_by_its_first_public_url() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a port is free").port();
    let url = format!("https://localhost:{port}");
    let secured = Secured::start(|state| {
        state
            .command(["serve", "--admin-addr=127.0.0.1:0"])
            .arg(format!("--addr=127.0.0.1:{port}"))
            .arg(format!("--public-url={url}/"))
            .arg("--public-url=https://a.example")
    });
    assert_eq!(secured.host.addr().port(), port);
    let state = &secured.state;
    assert_eq!(state.describe("greet")["url"], format!("{url}/greet"));
    state.update("greet", &["--no-allow-unauthenticated"]);
    for command in [
        "iam service-accounts create caller",
        "functions add-iam-policy-binding greet --role roles/run.invoker \
         --member serviceAccount:caller@host.internal",
    ] {
        assert_eq!(state.run(command).code, Some(0), "{command}");
    }
    let called = secured.call(Some(&secured.certificate));
    assert_eq!(called.code, Some(0), "{called:?}");
}
