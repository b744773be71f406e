//! The same component, unchanged, answers the same here, under `wasmtime serve` and under wasmCloud's `wash dev`.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{env, fs, thread, time::Duration};

use tests::{Directory, Host, PATIENCE, Reply, Wire, guest};

/// Fields that belong to the connection or to the server, not to the answer (RFC 9110, section 7.6.1).
const NOT_COMPARED: &[&str] = &[
    "connection",
    "content-length",
    "date",
    "function-execution-id",
    "keep-alive",
    "transfer-encoding",
];

/// The requests that all must answer alike: method, path, fields, body.
const REQUESTS: &[(&str, &str, &str, &[u8])] = &[
    ("POST", "/", "", br#"{"name": "local function"}"#),
    (
        "POST",
        "/",
        "content-type: application/json\r\n",
        br#"{"name": "Scheduler"}"#,
    ),
    ("POST", "/any/path?with=query", "", br#"{"name": "x"}"#),
    (
        "PUT",
        "/",
        "content-type: text/plain\r\n",
        br#"{"name": "put"}"#,
    ),
    ("PATCH", "/", "", br#"{"name": "patch"}"#),
    ("DELETE", "/", "", br#"{"name": "delete"}"#),
    ("OPTIONS", "/", "", br#"{"name": "options"}"#),
    ("GET", "/", "", b""),
    ("HEAD", "/", "", b""),
    ("POST", "/", "", b""),
    ("POST", "/", "", b"{}"),
    ("POST", "/", "", b"[1, 2]"),
    ("POST", "/", "", br#"{"name": null}"#),
    ("POST", "/", "", br#"{"name": 0}"#),
    ("POST", "/", "", br#"{"name": 7}"#),
    ("POST", "/", "", br#"{"name": {"a": [true]}}"#),
    ("POST", "/", "", "{\"name\": \"世界 🎉\"}".as_bytes()),
    ("POST", "/", "", br#"{"name": "cut"#),
    ("POST", "/", "", b"\xff\xfe"),
    ("POST", "/", "accept: application/json\r\n", b"not json"),
];

/// A server of somebody else's, ended when dropped.
struct Peer {
    process: Child,
    addr: SocketAddr,
    _directory: Directory,
}

impl Peer {
    fn wasmtime(component: &str, flags: &[&str]) -> Self {
        Self::start("wasmtime", |command, addr, _| {
            command.args(["serve", "-S", "cli", "--addr", &addr.to_string()]);
            command.args(flags).arg(guest(component));
        })
    }

    fn wash() -> Self {
        Self::start("wash", |command, addr, directory| {
            let settings = directory.path().join(".wash");
            fs::create_dir(&settings).unwrap();
            let text = format!(
                "build:\n  command: \"true\"\n  component_path: hello.wasm\ndev:\n  address: {addr}\n"
            );
            fs::write(settings.join("config.yaml"), text).unwrap();
            fs::copy(guest("hello"), directory.path().join("hello.wasm")).unwrap();
            command
                .args(["--non-interactive", "dev"])
                .current_dir(directory.path());
        })
    }

    fn start(name: &str, arrange: impl FnOnce(&mut Command, SocketAddr, &Directory)) -> Self {
        let peers = env::var_os("HOST_PEERS").expect("HOST_PEERS names the folder of the peers");
        let addr = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let directory = Directory::new();
        let mut command = Command::new(PathBuf::from(peers).join(name));
        arrange(&mut command, addr, &directory);
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let peer = Self {
            process,
            addr,
            _directory: directory,
        };
        peer.wait_until_it_answers(name);
        peer
    }

    /// Another's program does not tell when it is ready, so it is asked.
    fn wait_until_it_answers(&self, name: &str) {
        let begun = Instant::now();
        while begun.elapsed() < 3 * PATIENCE {
            if let Ok(mut wire) = Wire::try_connect(self.addr)
                && wire.try_send(request(&REQUESTS[0])).is_ok()
                && wire.read_to_end().starts_with(b"HTTP/1.1 200")
            {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} does not answer on {}", self.addr);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then the comparison has failed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn request((method, path, fields, body): &(&str, &str, &str, &[u8])) -> Vec<u8> {
    let length = body.len();
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n{fields}content-length: {length}\r\n\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// What of an answer is the function's: status, fields in order of name, body.
fn answer(
    addr: SocketAddr,
    wanted: &(&str, &str, &str, &[u8]),
) -> (u16, Vec<(String, String)>, String) {
    let mut wire = Wire::connect(addr);
    wire.send(request(wanted));
    let reply = if wanted.0 == "HEAD" {
        wire.read_head()
    } else {
        wire.read_reply()
    };
    let Reply {
        status,
        mut headers,
        body,
        ..
    } = reply;
    headers.retain(|(name, _)| !NOT_COMPARED.contains(&name.as_str()));
    headers.sort();
    (status, headers, String::from_utf8(body).unwrap())
}

fn compare(name: &str, peer: &Peer, component: &str) {
    let host = Host::serve(component).start();
    assert_eq!(REQUESTS.len(), 20);
    for wanted in REQUESTS {
        let ours = answer(host.addr(), wanted);
        let theirs = answer(peer.addr, wanted);
        assert_eq!(ours, theirs, "{name} answers {wanted:?} differently");
    }
}

#[test]
fn wasmtime_serve_answers_twenty_requests_as_host_does() {
    compare("wasmtime serve", &Peer::wasmtime("hello", &[]), "hello");
}

/// What a handler of either generation answers is the same, here and there.
#[test]
fn wasmtime_serve_answers_twenty_requests_to_a_component_of_wasi_0_3_as_host_does() {
    let peer = Peer::wasmtime("p3_greets", &["-S", "p3", "-W", "component-model-async=y"]);
    compare("wasmtime serve", &peer, "p3_greets");
    compare("wasmtime serve", &peer, "hello");
}

#[test]
fn wash_dev_answers_twenty_requests_as_host_does() {
    compare("wash dev", &Peer::wash(), "hello");
}
