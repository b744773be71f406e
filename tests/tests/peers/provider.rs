//! A real OpenID provider, npm's `oidc-provider`: its keys are found, change, are not to be had, and come back.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tests::{Directory, Host, Reply, Wire};

/// The client of the provider that its tokens are for.
const CLIENT: &str = "the-client";
/// As long as a host may take to look for a new key, and as much again.
const COOLDOWN_TWICE: Duration = Duration::from_secs(60);

/// The provider, with keys that outlast its process.
struct Provider {
    addr: SocketAddr,
    directory: Directory,
    process: Option<Child>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut provider = Self {
            addr: listener.local_addr().unwrap(),
            directory: Directory::new(),
            process: None,
        };
        drop(listener);
        provider.start_again(&[]);
        provider
    }

    /// Starts it where it was, with these arguments beside its own.
    fn start_again(&mut self, arguments: &[&str]) {
        self.stop();
        assert!(env::var_os("HOST_PEERS").is_some(), "HOST_PEERS is not set");
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers/openid-provider.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .arg(self.addr.port().to_string())
            .arg(self.directory.path().join("keys.json"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let output = process.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "ready"), "the provider has ended");
        self.process = Some(process);
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// An ID token of `ada` for the client, as the provider makes it now.
    fn token(&self) -> String {
        let body = format!("grant_type=mint&client_id={CLIENT}&client_secret=not-a-secret");
        let mut wire = Wire::connect(self.addr);
        wire.send(format!(
            "POST /token HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.addr,
            body.len()
        ));
        let reply = wire.read_reply();
        let answer = reply.json();
        let token = answer["id_token"].as_str();
        token.unwrap_or_else(|| panic!("{reply:?}")).to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn keys_of_a_real_provider_are_found_rotated_and_outlast_an_outage() {
    let mut provider = Provider::start();
    let host = Host::serve("echoes")
        .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
        .arg(format!("--audience={CLIENT}"))
        .arg(format!("--issuer={}", provider.url()))
        .arg(format!("--invoker=principal:{}#ada", provider.url()))
        .start();
    let get = |token: &str| host.get_with("/headers", token);
    let assert_lets_in =
        |reply: &Reply, when: &str| assert_eq!(reply.status, 200, "{when}: {reply:?}");
    let first = provider.token();
    let reply = get(&first);
    assert_lets_in(&reply, "at first");
    let seen = reply.text();
    assert!(seen.contains("x-host-caller-subject: ada\n"), "{seen}");
    let (signed, signature) = first.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{other}{}", &signature[1..]);
    assert_eq!(get(&forged).status, 401);

    provider.start_again(&["rotate"]);
    let second = provider.token();
    let begun = Instant::now();
    while get(&second).status != 200 {
        assert!(begun.elapsed() < COOLDOWN_TWICE, "the new key is not found");
        thread::sleep(Duration::from_millis(500));
    }
    assert_lets_in(&get(&first), "while both keys are published");

    provider.stop();
    assert_lets_in(&get(&second), "while the provider is down");
    assert_lets_in(&get(&first), "while the provider is down");

    provider.start_again(&[]);
    assert_lets_in(&get(&provider.token()), "when it is back");
}
