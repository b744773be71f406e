//! Sockets that a service manager hands over, as systemd does (`sd_listen_fds(3)`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use tests::{Directory, guest, host_binary};

/// A host with sockets in the places of its third and fourth descriptor, which come as stdin and stdout.
struct Handed {
    process: Child,
    _directory: Directory,
}

impl Handed {
    fn start(sockets: [&TcpListener; 2], count: usize, arguments: &str) -> Self {
        let directory = Directory::new();
        let script = format!(
            "exec 3<&0 4<&1 </dev/null >/dev/null; export LISTEN_PID=$$ LISTEN_FDS={count}; \
             exec \"$0\" serve \"$1\" --state-dir \"$2\" {arguments}"
        );
        let stdio = |socket: &TcpListener| {
            let socket = socket.try_clone().expect("a socket can be cloned");
            Stdio::from(OwnedFd::from(socket))
        };
        let process = Command::new("bash")
            .args(["-c", &script])
            .arg(host_binary())
            .arg(guest("hello"))
            .arg(directory.path())
            .stdin(stdio(sockets[0]))
            .stdout(stdio(sockets[1]))
            .stderr(Stdio::piped())
            .spawn()
            .expect("bash runs");
        Self {
            process,
            _directory: directory,
        }
    }

    /// All that it says until it ends.
    fn told(&mut self) -> String {
        let mut told = String::new();
        let stderr = self.process.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut told).expect("it is text");
        told
    }

    fn terminate(mut self) -> bool {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").arg(pid).status();
        assert!(sent.expect("kill runs").success());
        self.process.wait().expect("it can be waited for").success()
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn listen(addr: &str) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(addr).expect("a port is free");
    let addr = listener.local_addr().expect("it has an address");
    (listener, addr)
}

/// Sends a request and answers the connection it goes over.
fn ask(addr: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).expect("somebody listens");
    let length = "content-length: 2\r\nconnection: close";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{length}\r\n\r\n{{}}"
    )
    .unwrap();
    stream
}

fn first_line(stream: TcpStream) -> String {
    let mut line = String::new();
    let mut answer = BufReader::new(stream);
    answer.read_line(&mut line).expect("there is an answer");
    line
}

#[test]
fn connections_wait_for_the_process_and_for_the_one_after_it() {
    let (functions, addr) = listen("127.0.0.1:0");
    let (control, admin) = listen("127.0.0.1:0");
    for _ in 0..2 {
        let early = ask(addr, "/");
        let host = Handed::start([&functions, &control], 2, "");
        assert_eq!(first_line(early), "HTTP/1.1 200 OK\r\n");
        let health = first_line(ask(admin, "/healthz"));
        assert!(health.starts_with("HTTP/1.1 "), "{health}");
        assert!(host.terminate());
    }
}

#[test]
fn every_worker_serves_what_comes_over_the_one_socket() {
    let (functions, addr) = listen("127.0.0.1:0");
    let (unused, _) = listen("127.0.0.1:0");
    let arguments = "--workers 4 --admin-addr 127.0.0.1:0";
    let _host = Handed::start([&functions, &unused], 1, arguments);
    let streams: Vec<_> = (0..32).map(|_| ask(addr, "/")).collect();
    for stream in streams {
        assert_eq!(first_line(stream), "HTTP/1.1 200 OK\r\n");
    }
}

#[test]
fn a_socket_that_faces_the_network_needs_a_word_on_who_may_call() {
    let (functions, _) = listen("0.0.0.0:0");
    let (unused, _) = listen("127.0.0.1:0");
    let arguments = "--addr 127.0.0.1:0 --admin-addr 127.0.0.1:0";
    let mut host = Handed::start([&functions, &unused], 1, arguments);
    let told = host.told();
    assert!(
        told.contains("can be reached from other machines"),
        "{told}"
    );
    assert_eq!(host.process.wait().unwrap().code(), Some(1));
}

#[test]
fn what_is_no_socket_is_refused_in_a_line() {
    let directory = Directory::new();
    let script = "exec 3</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" serve \"$1\" --state-dir \"$2\"";
    let output = Command::new("bash")
        .args(["-c", script])
        .arg(host_binary())
        .arg(guest("hello"))
        .arg(directory.path())
        .output()
        .expect("bash runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with("error: the sockets that the service manager hands over"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn what_was_handed_to_another_process_is_left_alone() {
    let (functions, addr) = listen("127.0.0.1:0");
    let (unused, _) = listen("127.0.0.1:0");
    drop(unused);
    let directory = Directory::new();
    let script = "exec 3<&0 </dev/null; export LISTEN_PID=1 LISTEN_FDS=1; \
                  exec \"$0\" serve \"$1\" --state-dir \"$2\" --addr 127.0.0.1:0 --admin-addr 127.0.0.1:0";
    let mut process = Command::new("bash")
        .args(["-c", script])
        .arg(host_binary())
        .arg(guest("hello"))
        .arg(directory.path())
        .stdin(Stdio::from(OwnedFd::from(functions)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs");
    let mut first = String::new();
    let mut stderr = BufReader::new(process.stderr.take().expect("it is piped"));
    stderr.read_line(&mut first).expect("it is text");
    assert!(!first.contains(&addr.to_string()), "{first}");
    process.kill().unwrap();
    process.wait().unwrap();
}
