//! A program that runs plugins which it does not trust: each file named on the command line is called once.
//!
//! ```sh
//! cargo run --release --package host-sandbox --example plugins -- hello.wasm other.wasm
//! ```

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use host_sandbox::{CallError, Done, Limits, Sandbox, SandboxConfig};
use http_body_util::Full;

/// What a plugin may use. Whatever it does, the rest of this program goes on.
const LIMITS: fn() -> Limits = || {
    Limits::default()
        .memory(32 << 20)
        .wall_time(Duration::from_secs(1))
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let sandbox = match Sandbox::new(SandboxConfig::default()) {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    for file in std::env::args().skip(1) {
        let plugin = match sandbox.load(&file, LIMITS()).await {
            Ok(plugin) => plugin,
            Err(error) => {
                println!("{file}: not loaded: {error}");
                continue;
            }
        };
        let request = http::Request::post("/").body(Full::new(Bytes::from(r#"{"name": "host"}"#)));
        let request = request.expect("a path makes a request");
        match plugin.call(request).await {
            Ok(done) => tell(&file, &done),
            Err(CallError { failure, log, .. }) => {
                println!("{file}: failed: {failure} ({} lines printed)", log.len());
            }
        }
    }
    ExitCode::SUCCESS
}

fn tell(file: &str, done: &Done) {
    let answer = String::from_utf8_lossy(done.response.body());
    println!(
        "{file}: {} {answer:?}, {} KiB, {:?}",
        done.response.status(),
        done.usage.memory / 1024,
        done.usage.wall
    );
    for line in &done.log {
        println!("  it printed: {}", line.text);
    }
}
