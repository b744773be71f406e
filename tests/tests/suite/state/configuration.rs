//! `host.toml`: what it declares is served, a bad edit changes nothing, and commands leave it alone.

use std::fs;

use tests::{AUDIENCE, Host, HostBuilder, Issuer, Output, Signal, State, guest, wait_until};

/// A state directory with `host.toml` beside it.
struct Config(State);

impl Config {
    fn new(text: &str) -> Self {
        let config = Self(State::new());
        fs::copy(guest("hello"), config.0.beside().join("hello.wasm")).expect("it can be copied");
        config.write(text);
        config
    }

    fn write(&self, text: &str) {
        self.0.file("host.toml", text);
    }

    fn path(&self) -> String {
        self.0.beside().join("host.toml").display().to_string()
    }

    fn serve(&self) -> HostBuilder {
        self.0.serve().arg(format!("--config={}", self.path()))
    }

    fn check(&self) -> Output {
        self.0.command(["config", "check", &self.path()]).run()
    }
}

/// One open function, with further settings.
fn hello(settings: &str) -> String {
    format!(
        "[functions.hello]\nsource = \"hello.wasm\"\nallow-unauthenticated = true\n{settings}\n"
    )
}

const REFUSED: &str = "error: the old configuration stays in use: ";

#[test]
fn what_is_declared_is_served_beside_what_was_deployed() {
    let config = Config::new(&hello(""));
    config.0.deploy("deployed", "hello", &[]);
    let host = config.serve().start();
    for name in ["hello", "deployed"] {
        assert_eq!(host.post(&format!("/{name}"), "{}").text(), "Hello World!");
    }
    assert_eq!(config.0.names(), ["deployed", "hello"]);
}

#[test]
fn commands_do_not_change_what_is_declared() {
    let config = Config::new(&hello(""));
    let host = config.serve().start();
    for arguments in [
        &["delete", "hello", "--quiet"][..],
        &["deploy", "hello", "--memory=64Mi"],
        &[
            "add-iam-policy-binding",
            "hello",
            "--member=allUsers",
            "--role=roles/run.invoker",
        ],
    ] {
        let output = config.0.functions(arguments).run();
        assert_eq!(output.code, Some(1), "{output:?}");
        let expected = format!("declared in {}; change it there", config.path());
        assert!(output.stderr.contains(&expected), "{}", output.stderr);
    }
    assert_eq!(host.post("/hello", "{}").status, 200);
}

#[test]
fn a_name_that_was_deployed_cannot_be_declared() {
    let config = Config::new(&hello(""));
    config.0.deploy("hello", "hello", &[]);
    let output = config.serve().run();
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("`hello` has been deployed"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_host_without_the_file_forgets_what_it_declared() {
    let config = Config::new(&hello(""));
    drop(config.serve().start());
    assert_eq!(config.0.names(), ["hello"]);
    drop(config.0.serve().start());
    assert_eq!(config.0.names(), Vec::<String>::new());
}

#[test]
fn a_flag_counts_more_than_the_file() {
    let config = Config::new(&format!(
        "[host]\naddr = \"127.0.0.1:1\"\nadmin-hosts = [\"a.example\"]\nmax-executions = 7\n{}",
        hello("")
    ));
    let host = config.serve().start();
    assert_ne!(host.addr().port(), 1);
    assert_eq!(
        host.ask_control_plane("GET /healthz", "a.example").status,
        200
    );
}

#[test]
fn sighup_has_the_file_read_again() {
    let config = Config::new(&hello(""));
    let host = config.serve().start();
    config.write(&hello("").replace("functions.hello", "functions.other"));
    host.signal(Signal::Hup);
    wait_until("the other is served", || {
        host.post("/other", "{}").status == 200
    });
    wait_until("the first is gone", || {
        host.post("/hello", "{}").status == 404
    });
}

#[test]
fn a_bad_edit_is_told_with_its_place_and_changes_nothing() {
    let config = Config::new(&hello(""));
    let host = config.serve().arg("--watch").start();
    config.write(&hello("memory = \"lots\"").replace("functions.hello", "functions.other"));
    let line = host.wait_for_stderr(|line| line.starts_with(REFUSED));
    assert!(
        line.contains("host.toml:4:10: `lots` is not a size"),
        "{line}"
    );
    assert_eq!(host.post("/hello", "{}").status, 200);
    assert_eq!(host.post("/other", "{}").status, 404);
    config.write(&hello("").replace("functions.hello", "functions.other"));
    wait_until("the good edit is taken up", || {
        host.post("/other", "{}").status == 200
    });
}

#[test]
fn a_component_that_does_not_compile_changes_nothing_of_the_file_but_what_it_takes_away() {
    let config = Config::new(&hello(""));
    let host = config.serve().arg("--watch").start();
    let broken = config.0.file("broken.wasm", b"\0asm\x0d\0\x01\0junk");
    config.write(&format!(
        "{}[functions.broken]\nsource = \"{}\"\n",
        hello("timeout = \"5s\"").replace("functions.hello", "functions.other"),
        broken.display()
    ));
    let line = host.wait_for_stderr(|line| line.starts_with(REFUSED));
    assert!(
        line.contains("host.toml:6:10: ") && line.contains("broken.wasm"),
        "{line}"
    );
    assert!(line.ends_with("all the same: `hello` is removed"), "{line}");
    wait_until("what the file has no more is gone", || {
        host.post("/hello", "{}").status == 404
    });
    assert_eq!(host.post("/other", "{}").status, 404);
}

#[test]
fn a_right_that_the_file_takes_away_is_gone_though_a_component_does_not_compile() {
    let issuer = Issuer::start();
    let file = |functions: &str| {
        format!(
            "[issuers.it]\nurl = {:?}\n{functions}{}",
            issuer.url(),
            "[functions.broken]\nsource = \"broken.wasm\"\nallow-unauthenticated = true\n"
        )
    };
    let private = |invokers: &[&str]| {
        let invokers: Vec<_> = invokers.iter().map(|name| issuer.principal(name)).collect();
        format!(
            "[functions.private]\nsource = {:?}\naudiences = [{AUDIENCE:?}]\ninvokers = {invokers:?}\n",
            guest("echoes")
        )
    };
    let config = Config::new("");
    fs::copy(guest("hello"), config.0.beside().join("broken.wasm")).expect("it can be copied");
    config.write(&file(&format!("{}{}", hello(""), private(&["ada", "bob"]))));
    let host = config.serve().start();
    host.wait_for_keys_of(&issuer);
    let status = |name: &str| {
        let token = issuer.token(name, AUDIENCE);
        host.get_with("/private", &token).status
    };
    assert_eq!(
        (status("ada"), status("bob"), status("eve")),
        (200, 200, 403)
    );
    config.0.file("broken.wasm", "no component");
    let closed = hello("").replace("unauthenticated = true", "unauthenticated = false");
    config.write(&file(&format!("{closed}{}", private(&["bob", "eve"]))));
    host.signal(Signal::Hup);
    let line = host.wait_for_stderr(|line| line.starts_with(REFUSED));
    assert!(line.contains("`hello` is private"), "{line}");
    assert!(
        line.contains(&format!(
            "`private` no longer lets in {}",
            issuer.principal("ada")
        )),
        "{line}"
    );
    wait_until("the right is gone", || status("ada") == 403);
    wait_until("it is private", || host.post("/hello", "{}").status == 401);
    // Nothing is given before all of it can be served.
    assert_eq!((status("bob"), status("eve")), (200, 403));
    config.write(&file(&private(&["eve"])).replace(&issuer.url(), "http://127.0.0.1:9"));
    host.signal(Signal::Hup);
    wait_until("the issuer is trusted no longer", || status("bob") == 401);
}

#[test]
fn a_component_that_changes_is_loaded_again() {
    let config = Config::new(&hello(""));
    let host = config.serve().arg("--watch").start();
    assert_eq!(host.post("/hello", "{}").text(), "Hello World!");
    fs::copy(guest("echoes"), config.0.beside().join("hello.wasm")).expect("it can be copied");
    wait_until("the new component answers", || {
        host.post("/hello", "echo").text() == "echo"
    });
}

#[test]
fn one_component_is_watched_too() {
    let state = State::new();
    let file = state.file("f.wasm", fs::read(guest("hello")).expect("it can be read"));
    let host = state.serve().arg(&file).arg("--watch").start();
    assert_eq!(host.post("/", "{}").text(), "Hello World!");
    fs::write(&file, "no component").expect("it can be written");
    host.wait_for_stderr(|line| line.starts_with("error: function f goes on as it was: "));
    assert_eq!(host.post("/", "{}").text(), "Hello World!");
    fs::copy(guest("echoes"), &file).expect("it can be copied");
    wait_until("the new component answers", || {
        host.post("/", "echo").text() == "echo"
    });
}

#[test]
fn what_needs_a_new_start_is_said_so() {
    let config = Config::new(&hello(""));
    let host = config.serve().start();
    config.write(&format!("[host]\nqueue-length = 5\n{}", hello("")));
    host.signal(Signal::Hup);
    host.wait_for_stderr(|line| line.starts_with("warning: changes below [host] take effect"));
}

#[test]
fn a_host_does_not_start_with_a_bad_file() {
    let config = Config::new("[host]\nadr = 1\n");
    let output = config.serve().run();
    assert_eq!((output.code, &*output.stdout), (Some(1), ""));
    assert!(
        output
            .stderr
            .contains("host.toml:2:1: unknown key `adr`; did you mean `addr`?"),
        "{}",
        output.stderr
    );
    assert_eq!(output.stderr.lines().count(), 1);
}

#[test]
fn a_check_says_what_a_host_would() {
    let config = Config::new(&hello(""));
    let output = config.check();
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(
        output
            .stdout
            .ends_with("host.toml can be served: 1 function, 0 jobs\n")
    );
    for (text, expected) in [
        (
            hello("memroy = 1"),
            "host.toml:4:1: unknown key `memroy`; did you mean `memory`?",
        ),
        (
            hello("").replace("hello.wasm", "gone.wasm"),
            "host.toml:2:10: ",
        ),
        (hello("memory = \"1\""), "host.toml:2:10: "),
        (
            "[functions.\"a b\"]\n".into(),
            "host.toml:1:12: `a b` is not a function name",
        ),
        (
            "[issuers.a]\nurl = \"http://a.example\"\n".into(),
            "host.toml:1:10: issuer a: ",
        ),
        (hello("invokers = [\"group:x\"]"), "host.toml:4:13: "),
    ] {
        config.write(&text);
        let output = config.check();
        assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{text}");
        assert!(
            output.stderr.contains(expected),
            "{text}: {}",
            output.stderr
        );
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
}

#[test]
fn a_check_reads_the_files_that_the_process_needs() {
    let config = Config::new("");
    config.0.file("empty.pem", "");
    for (text, expected) in [
        (
            "tls-cert = \"gone.pem\"\ntls-key = \"gone.pem\"",
            ":2:12: cannot read the certificate",
        ),
        ("job-ca = \"gone.pem\"", ":2:10: cannot read"),
        (
            "otlp-endpoint = \"http://127.0.0.1:4318\"\notlp-ca = \"empty.pem\"",
            ":3:11: ",
        ),
        (
            "otlp-endpoint = \"http://127.0.0.1:4318\"\notlp-headers = \"gone\"",
            ":3:16: ",
        ),
        ("otlp-ca = \"empty.pem\"", ":2:11: there is no collector"),
        ("issuer-url = \"nowhere\"", ":2:14: "),
    ] {
        config.write(&format!("[host]\n{text}\n"));
        for output in [config.check(), config.serve().run()] {
            assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{text}");
            assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        }
        let told = config.check().stderr;
        assert!(told.contains(&format!("host.toml{expected}")), "{told}");
    }
}

#[test]
fn a_check_compares_the_file_with_what_was_deployed() {
    let config = Config::new(&hello("hosts = [\"a.example\"]"));
    assert_eq!(config.check().code, Some(0));
    assert!(!config.0.database().exists(), "it makes no store");
    config.0.deploy("other", "hello", &["--host=a.example"]);
    let refused = |expected: &str| {
        for output in [config.check(), config.serve().run()] {
            assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
            assert!(output.stderr.contains(expected), "{}", output.stderr);
        }
    };
    refused("the host name a.example leads to the function `other` already");
    config.0.deploy("hello", "hello", &[]);
    refused("the function `hello` has been deployed");
    assert!(config.check().stderr.contains("host.toml:1:12: "));
}

#[test]
fn host_names_move_between_functions_of_the_file() {
    let two = |first: &str, second: &str| {
        format!(
            "{}{}",
            hello(&format!("hosts = [\"{first}\"]")),
            hello(&format!("hosts = [\"{second}\"]")).replace("functions.hello", "functions.other")
        )
    };
    let config = Config::new(&two("a.example", "b.example"));
    let host = config.serve().start();
    config.write(&two("b.example", "a.example"));
    host.signal(Signal::Hup);
    host.wait_for_stderr(|line| line.starts_with("The configuration was read again"));
    drop(host);
    config.serve().start();
}

#[test]
fn a_file_that_is_not_there_is_one_line() {
    let output = Host::command(["config", "check", "/nowhere/host.toml"]).run();
    assert_eq!(output.code, Some(1));
    assert!(
        output
            .stderr
            .starts_with("error: /nowhere/host.toml: cannot read"),
        "{output:?}"
    );
}
