//! A real collector, Rotel, reads what the host sends to it.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tests::{Directory, Host, wait_until};

struct Collector {
    port: u16,
    directory: Directory,
    process: Child,
}

impl Collector {
    /// One that shows what it gets of `signal`.
    fn start(signal: &str) -> Self {
        let peers = PathBuf::from(env::var_os("HOST_PEERS").expect("HOST_PEERS is set"));
        let directory = Directory::new();
        let [http, grpc] = [(); 2].map(|()| free_port());
        let file = |name: &str| directory.path().join(name);
        let output = File::create(file("shown")).unwrap();
        let process = Command::new(peers.join("rotel-agent"))
            .args(["start", "--exporter", "blackhole", "--debug-log", signal])
            .args(["--debug-log-verbosity", "detailed"])
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--pid-file".as_ref(), file("pid").as_os_str()])
            .args(["--log-file".as_ref(), file("log").as_os_str()])
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .expect("the collector starts");
        wait_until("the collector listens", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, http)).is_ok()
        });
        Self {
            port: http,
            directory,
            process,
        }
    }

    /// What it has shown, once `text` is in it.
    fn shown(&self, text: &str) -> String {
        let shown = || fs::read_to_string(self.directory.path().join("shown")).unwrap();
        wait_until(text, || shown().contains(text));
        shown()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn serve(collector: &Collector, guest: &str) -> Host {
    Host::serve(guest)
        .args([
            "--otlp-endpoint",
            &format!("http://127.0.0.1:{}", collector.port),
        ])
        .start()
}

/// Calls the function in this trace; answers the execution's id.
fn call(host: &Host, path: &str) -> String {
    let head = format!(
        "POST {path}\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
    let reply = host.request(&head, r#"{"name": "Ada"}"#);
    reply.execution_id().to_owned()
}

#[test]
fn it_reads_what_an_execution_printed() {
    let collector = Collector::start("logs");
    let host = serve(&collector, "hello");
    let id = call(&host, "/");
    let shown = collector.shown("finished with status code: 200");
    for line in [
        "service.name: Str(host)",
        "faas.name: Str(hello)",
        "Body: Str(Hello Ada!)",
        "SeverityNumber: SEVERITY_NUMBER_INFO(9)",
        "http.response.status_code: Int(200)",
        &format!("faas.invocation_id: Str({id})"),
        "Trace ID       : 0af7651916cd43dd8448eb211c80319c",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn it_reads_the_span_of_an_execution() {
    let collector = Collector::start("traces");
    let host = serve(&collector, "hello");
    let id = call(&host, "/");
    let shown = collector.shown("Span #0");
    for line in [
        "Trace ID       : 0af7651916cd43dd8448eb211c80319c",
        "Parent ID      : b7ad6b7169203331",
        "Name           : hello",
        "Kind           : SPAN_KIND_SERVER",
        "faas.trigger: Str(http)",
        &format!("faas.invocation_id: Str({id})"),
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn it_reads_that_an_execution_failed() {
    let collector = Collector::start("traces");
    let host = serve(&collector, "traps");
    call(&host, "/");
    let shown = collector.shown("error.type: Str(crash)");
    assert!(shown.contains("Status"), "{shown}");
}
