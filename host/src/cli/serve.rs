//! `host serve`

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Message;
use super::state::State;
use super::values::{Bound, bytes, bytes_or_unlimited, duration, pair};
use crate::function::{FunctionConfig, Limits, OutboundPolicy, SandboxConfig};
use crate::logs::LogFormat;
use crate::serve::{self, Access, ServeOptions, TlsFiles};

const DEFAULT_PORT: u16 = 8080;

/// Serve a component over HTTP
///
/// Every path and method reaches the function. Its log entries go to stdout, everything else to stderr. Ctrl-C and
/// SIGTERM let running executions finish; a second one ends at once.
#[derive(Args)]
pub(super) struct Serve {
    /// The component: a .wasm file that exports wasi:http/incoming-handler@0.2
    component: PathBuf,

    /// The function's name in log entries [default: the file's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    listener: Listener,

    #[command(flatten)]
    function: FunctionArgs,

    #[command(flatten)]
    capacity: Capacity,

    #[command(flatten)]
    state: State,

    /// How log entries are printed
    #[arg(long, value_enum, default_value_t = LogFormat::Table, value_name = "FORMAT")]
    log_format: LogFormat,
}

#[derive(Args)]
#[command(next_help_heading = "Listener")]
struct Listener {
    /// Where the function answers; port 0 takes a free one [default: 127.0.0.1:8080, or port $PORT]
    #[arg(long, value_name = "IP:PORT")]
    addr: Option<SocketAddr>,

    /// Where the control plane answers
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8081")]
    admin_addr: SocketAddr,

    /// Let anyone call
    #[arg(long, conflicts_with = "no_allow_unauthenticated")]
    allow_unauthenticated: bool,

    /// Let only callers with a valid token call
    #[arg(long)]
    no_allow_unauthenticated: bool,

    /// Speak TLS with this certificate chain (PEM); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// How long a client may take for a request head, or leave a connection idle
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    header_timeout: Duration,

    /// How long a client may pause within a request body
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    body_timeout: Duration,

    /// How long a client may take nothing of a response
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    stall_timeout: Duration,

    /// Connections at once
    #[arg(long, value_name = "N", default_value = "10000")]
    max_connections: NonZeroUsize,

    /// HTTP/2 streams at once, per connection
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    max_streams: u32,
}

#[derive(Args)]
#[command(next_help_heading = "Function")]
struct FunctionArgs {
    /// Memory of an execution
    #[arg(long, value_name = "SIZE", default_value = "256Mi", value_parser = bytes)]
    memory: u64,

    /// Wall time of an execution
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,

    /// Largest request body
    #[arg(long, value_name = "SIZE", default_value = "10Mi", value_parser = bytes)]
    max_request_body: u64,

    /// Largest response body, or `unlimited`
    #[arg(long, value_name = "SIZE", default_value = "32Mi", value_parser = bytes_or_unlimited)]
    max_response_body: Bound,

    /// Log output kept of an execution
    #[arg(long, value_name = "SIZE", default_value = "256Ki", value_parser = bytes)]
    log_limit: u64,

    /// Environment variables of the function
    #[arg(long, value_name = "KEY=VALUE,…", value_delimiter = ',', value_parser = pair)]
    set_env_vars: Vec<(String, String)>,

    /// Let the function call this URL's scheme, host and port, such as https://api.example.com
    ///
    /// A range of addresses, such as 10.1.2.0/24, lets allowed host names lead to private addresses.
    #[arg(long, value_name = "URL|CIDR", value_parser = allowed)]
    allow_outbound: Vec<String>,

    /// Trust these certificate authorities (PEM) as well, in outbound calls
    #[arg(long, value_name = "FILE")]
    outbound_ca: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "Capacity")]
struct Capacity {
    /// Threads that serve [default: one per core]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,

    /// Executions of the function at once, per worker
    #[arg(long, value_name = "N", default_value = "80")]
    concurrency: NonZeroUsize,

    /// Executions at once, in all
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_executions: u32,

    /// Memory of all executions together [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    total_memory: Option<u64>,

    /// How long a request waits for a free instance
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    queue_time: Duration,

    /// Requests that wait for a free instance at once, per worker
    #[arg(long, value_name = "N", default_value = "1000")]
    queue_length: usize,
}

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let options = self.options()?;
        serve::run(&options).map_err(|error| error.to_string())?;
        Ok(ExitCode::SUCCESS)
    }

    fn options(self) -> Result<ServeOptions, Message> {
        let name = match self.name {
            Some(name) => name,
            None => file_name(&self.component),
        };
        let mut sandbox = SandboxConfig {
            executions: self.capacity.max_executions,
            cache: self.state.compile_cache(),
            ..SandboxConfig::default()
        };
        if let Some(total) = self.capacity.total_memory {
            sandbox.total_memory = total;
        }
        Ok(ServeOptions {
            name,
            component: self.component,
            addr: self.listener.addr()?,
            admin_addr: self.listener.admin_addr,
            access: self.listener.access(),
            tls: self.listener.tls(),
            workers: self.capacity.workers(),
            sandbox,
            function: self.function.config(self.listener.body_timeout)?,
            concurrency: self.capacity.concurrency.get(),
            queue_time: self.capacity.queue_time,
            queue_length: self.capacity.queue_length,
            connections: self.listener.max_connections.get(),
            streams: self.listener.max_streams,
            header_timeout: self.listener.header_timeout,
            stall_timeout: self.listener.stall_timeout,
            log_format: self.log_format,
        })
    }
}

impl Listener {
    fn addr(&self) -> Result<SocketAddr, Message> {
        if let Some(addr) = self.addr {
            return Ok(addr);
        }
        let port = match std::env::var("PORT") {
            Err(_) => DEFAULT_PORT,
            Ok(port) => port
                .parse()
                .map_err(|_| format!("$PORT is `{port}`; expected a port from 0 to 65535"))?,
        };
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }

    fn access(&self) -> Option<Access> {
        match (self.allow_unauthenticated, self.no_allow_unauthenticated) {
            (true, _) => Some(Access::Open),
            (_, true) => Some(Access::Private),
            _ => None,
        }
    }

    fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { certificate, key })
    }
}

impl FunctionArgs {
    fn config(self, request_idle: Duration) -> Result<FunctionConfig, Message> {
        let limits = Limits {
            memory: self.memory,
            wall_time: self.timeout,
            request_body: self.max_request_body,
            response_body: self.max_response_body.0,
            log_output: usize::try_from(self.log_limit).unwrap_or(usize::MAX),
            request_idle,
            ..Limits::default()
        };
        let mut outbound = OutboundPolicy::default();
        for allowed in &self.allow_outbound {
            outbound.allow(allowed).map_err(|error| error.to_string())?;
        }
        if let Some(path) = &self.outbound_ca {
            trust(&mut outbound, path)?;
        }
        Ok(FunctionConfig {
            limits,
            environment: self.set_env_vars,
            outbound,
        })
    }
}

impl Capacity {
    fn workers(&self) -> usize {
        match self.workers {
            Some(workers) => workers.get(),
            None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

/// Refuses what cannot be allowed while the command line is read.
fn allowed(text: &str) -> Result<String, String> {
    match OutboundPolicy::default().allow(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn trust(outbound: &mut OutboundPolicy, path: &Path) -> Result<(), Message> {
    let pem =
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    outbound
        .trust(&pem)
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// `hello` for `target/hello.wasm`.
fn file_name(component: &Path) -> String {
    component.file_stem().map_or_else(
        || "function".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
