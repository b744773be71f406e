//! `host serve`

mod diagnostics;
mod identity;
mod jobs;
mod logs;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Message;
use super::compiler::CompilerArgs;
use super::state::State;
use crate::config::values::{
    Bound, Executions, Listed, Pair, Time, bytes, bytes_or_unlimited, duration, map, pairs,
};
use crate::config::{ConfigFile, HostTable};
use crate::input;
use crate::logs::LogFormat;
use crate::serve::{self, ComponentOptions, ServeOptions, TlsFiles};
use diagnostics::DiagnosticsArgs;
use host_sandbox::outbound::AddressRange;
use host_sandbox::{FunctionConfig, Limits, OutboundPolicy, SandboxConfig};
use identity::IdentityArgs;
use jobs::JobArgs;
use logs::LogArgs;

const DEFAULT_PORT: u16 = 8080;
const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
/// How long a client may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);
const QUEUE_TIME: Duration = Duration::from_secs(5);
const QUEUE_LENGTH: usize = 1000;
const CONNECTIONS: usize = 10_000;
const STREAMS: u32 = 100;
/// The largest file of certificates, in bytes.
const LARGEST_PEM: u64 = 16 << 20;

/// Serve a component, or the functions that were deployed, over HTTP
///
/// Every path and method reaches the component. Functions answer below /NAME. Their log entries go to stdout, everything else to stderr. Ctrl-C and
/// SIGTERM let running executions finish; a second one ends at once.
#[derive(Args)]
pub(super) struct Serve {
    /// The component: a .wasm file that exports wasi:http/incoming-handler@0.2, or `-` for standard input. Without one, the functions that were
    /// deployed are served
    component: Option<PathBuf>,

    /// Serve the functions that were deployed as well, each below its name
    #[arg(long)]
    with_functions: bool,

    /// Serve what this file declares, or standard input if it is `-`: see `host config`. Read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Load the component, the configuration and its components again when the files change
    #[arg(long)]
    watch: bool,

    /// The function's name in log entries [default: the file's name]
    #[arg(long, requires = "component", value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    listener: Listener,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    jobs: JobArgs,

    #[command(flatten)]
    function: FunctionArgs,

    #[command(flatten)]
    capacity: Capacity,

    #[command(flatten)]
    state: State,

    #[command(flatten)]
    compiler: CompilerArgs,

    #[command(flatten)]
    logs: LogArgs,

    #[command(flatten)]
    diagnostics: DiagnosticsArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Listener")]
struct Listener {
    /// Where the function answers; port 0 takes a free one [default: 127.0.0.1:8080, or port $PORT]
    #[arg(long, value_name = "IP:PORT")]
    addr: Option<SocketAddr>,

    /// Where the control plane answers [default: 127.0.0.1:8081]
    #[arg(long, value_name = "IP:PORT")]
    admin_addr: Option<SocketAddr>,

    /// A name that the control plane goes by, beside addresses and localhost; once for each
    #[arg(long, value_name = "NAME")]
    admin_host: Vec<String>,

    /// A proxy in front of this host, by its address or a block of them: what it says of a client in X-Forwarded-For,
    /// -Proto, -Host and -Prefix, or in Forwarded, is believed; once for each
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<AddressRange>,

    /// Speak TLS with this certificate chain (PEM); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// How long a client may take for a request head, or leave a connection idle [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    header_timeout: Option<Duration>,

    /// How long a client may pause within a request body [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    body_timeout: Option<Duration>,

    /// How long a client may take nothing of a response [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    stall_timeout: Option<Duration>,

    /// Connections at once [default: 10000]
    #[arg(long, value_name = "N")]
    max_connections: Option<NonZeroUsize>,

    /// HTTP/2 streams at once, per connection [default: 100]
    #[arg(long, value_name = "N")]
    max_streams: Option<NonZeroU32>,
}

#[derive(Args)]
#[command(next_help_heading = "Function")]
struct FunctionArgs {
    /// Memory of an execution
    #[arg(long, requires = "component", value_name = "SIZE", default_value = "256Mi", value_parser = bytes)]
    memory: u64,

    /// Wall time of an execution
    #[arg(long, requires = "component", value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,

    /// Largest request body
    #[arg(long, requires = "component", value_name = "SIZE", default_value = "10Mi", value_parser = bytes)]
    max_request_body: u64,

    /// Largest response body, or `unlimited`
    #[arg(long, requires = "component", value_name = "SIZE", default_value = "32Mi", value_parser = bytes_or_unlimited)]
    max_response_body: Bound,

    /// Log output kept of an execution
    #[arg(long, requires = "component", value_name = "SIZE", default_value = "256Ki", value_parser = bytes)]
    log_limit: u64,

    /// Environment variables of the function
    #[arg(long, requires = "component", value_name = "KEY=VALUE,…", value_parser = pairs)]
    set_env_vars: Vec<Listed<Pair>>,

    /// Let the function call this URL's scheme, host and port, such as https://api.example.com
    ///
    /// A range of addresses, such as 10.1.2.0/24, lets allowed host names lead to private addresses.
    #[arg(long, requires = "component", value_name = "URL|CIDR", value_parser = allowed)]
    allow_outbound: Vec<String>,

    /// Trust these certificate authorities (PEM) as well, in outbound calls
    #[arg(long, requires = "component", value_name = "FILE")]
    outbound_ca: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "Capacity")]
struct Capacity {
    /// Threads that serve [default: one per core]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,

    /// Executions of the function at once, per worker
    #[arg(long, requires = "component", value_name = "N", default_value = "80")]
    concurrency: Executions,

    /// Executions at once, in all [default: 1000]
    #[arg(long, value_name = "N")]
    max_executions: Option<Executions>,

    /// Memory of all executions together [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    total_memory: Option<u64>,

    /// How long a request waits for a free instance [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    queue_time: Option<Duration>,

    /// Requests that wait for a free instance at once, per function and worker [default: 1000]
    #[arg(long, value_name = "N")]
    queue_length: Option<usize>,
}

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let options = self.options()?;
        serve::run(&options).map_err(|error| error.to_string())?;
        Ok(ExitCode::SUCCESS)
    }

    fn options(self) -> Result<ServeOptions, Message> {
        let file = self.config.as_deref().map(ConfigFile::read).transpose();
        let file = file.map_err(|error| error.to_string())?;
        // What the command line says counts more than what the file says, and that more than the default.
        let host = file.as_ref().map(ConfigFile::host).unwrap_or_default();
        self.diagnostics.begin(&host);
        let state = self.state.or(host.state_dir.clone());
        let access = self.identity.access()?;
        let request_idle = self.listener.body_timeout;
        let request_idle = request_idle.or(time(host.body_timeout)).unwrap_or(PATIENCE);
        let functions = match (&self.component, self.with_functions || file.is_some()) {
            (Some(_), false) => None,
            _ => Some(state.directory()?),
        };
        let component = match self.component {
            None => None,
            Some(file) => Some(ComponentOptions {
                name: self.name.unwrap_or_else(|| file_name(&file)),
                file,
                access,
                function: self.function.config(request_idle)?,
                concurrency: self.capacity.concurrency.get(),
            }),
        };
        let identity = self.identity.options(&host, &state)?;
        let jobs = self.jobs.options(&host)?;
        let (listener, capacity) = (self.listener, self.capacity);
        let mut admin_hosts = listener.admin_host.clone();
        admin_hosts.extend(host.admin_hosts.iter().cloned());
        let mut trusted_proxies = listener.trusted_proxy.clone();
        trusted_proxies.extend(host.trusted_proxies.iter().map(|range| range.0));
        let queue_time = capacity.queue_time.or(time(host.queue_time));
        let header_timeout = listener.header_timeout.or(time(host.header_timeout));
        let stall_timeout = listener.stall_timeout.or(time(host.stall_timeout));
        Ok(ServeOptions {
            component,
            functions,
            config: file.map(|file| file.path().to_owned()),
            identity,
            jobs,
            addr: listener.addr(&host)?,
            admin_addr: listener
                .admin_addr
                .or(host.admin_addr)
                .unwrap_or(ADMIN_ADDR),
            admin_hosts,
            trusted_proxies,
            watch: self.watch,
            tls: listener.tls(&host),
            workers: capacity.workers(&host),
            sandbox: capacity
                .sandbox(&host, &state)
                .compiler(self.compiler.compiler(&host)),
            queue_time: queue_time.unwrap_or(QUEUE_TIME),
            queue_length: capacity
                .queue_length
                .or(host.queue_length)
                .unwrap_or(QUEUE_LENGTH),
            connections: listener
                .max_connections
                .or(host.max_connections)
                .map_or(CONNECTIONS, NonZeroUsize::get),
            streams: listener
                .max_streams
                .or(host.max_streams)
                .map_or(STREAMS, NonZeroU32::get),
            header_timeout: header_timeout.unwrap_or(PATIENCE),
            body_timeout: request_idle,
            stall_timeout: stall_timeout.unwrap_or(PATIENCE),
            log_format: self
                .logs
                .log_format
                .or(host.log_format)
                .unwrap_or(LogFormat::Table),
            kept_log: self.logs.kept(&host, &state),
            collector: self.logs.collector(&host)?,
        })
    }
}

fn time(time: Option<Time>) -> Option<Duration> {
    time.map(|time| time.0)
}

impl Listener {
    fn addr(&self, host: &HostTable) -> Result<SocketAddr, Message> {
        if let Some(addr) = self.addr.or(host.addr) {
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

    fn tls(&self, host: &HostTable) -> Option<TlsFiles> {
        let given = self.tls_cert.as_ref().zip(self.tls_key.as_ref());
        let (certificate, key) = given.or(host.tls_cert.as_ref().zip(host.tls_key.as_ref()))?;
        Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        })
    }
}

impl FunctionArgs {
    fn config(self, request_idle: Duration) -> Result<FunctionConfig, Message> {
        let limits = Limits::default()
            .memory(self.memory)
            .wall_time(self.timeout)
            .request_body(self.max_request_body)
            .response_body(self.max_response_body.0)
            .log_output(usize::try_from(self.log_limit).unwrap_or(usize::MAX))
            .request_idle(request_idle);
        let mut outbound = OutboundPolicy::default();
        for allowed in &self.allow_outbound {
            outbound.allow(allowed).map_err(|error| error.to_string())?;
        }
        if let Some(path) = &self.outbound_ca {
            trust(&mut outbound, path, "--outbound-ca")?;
        }
        Ok(FunctionConfig::default()
            .limits(limits)
            .environment(map(&self.set_env_vars)?.into_iter().collect())
            .outbound(outbound))
    }
}

impl Capacity {
    fn workers(&self, host: &HostTable) -> usize {
        match self.workers.or(host.workers) {
            Some(workers) => workers.get(),
            None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    fn sandbox(&self, host: &HostTable, state: &State) -> SandboxConfig {
        let mut sandbox = SandboxConfig::default().cache(state.compile_cache());
        if let Some(executions) = self.max_executions.or(host.max_executions) {
            sandbox.executions = executions.0;
        }
        let total = host.total_memory.map(|size| size.0);
        if let Some(total) = self.total_memory.or(total) {
            sandbox.total_memory = total;
        }
        sandbox
    }
}

/// Refuses what cannot be allowed while the command line is read.
fn allowed(text: &str) -> Result<String, String> {
    match OutboundPolicy::default().allow(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Trusts the authorities in the file `path`, which `flag` names.
pub(super) fn trust(
    outbound: &mut OutboundPolicy,
    path: &Path,
    flag: &'static str,
) -> Result<(), Message> {
    let pem = input::read(path, flag, LARGEST_PEM)?;
    outbound
        .trust(&pem)
        .map_err(|error| format!("{}: {error}", input::name(path)))
}

/// `hello` for `target/hello.wasm`.
fn file_name(component: &Path) -> String {
    let stem = component
        .file_stem()
        .filter(|_| !input::is_stdin(component));
    stem.map_or_else(
        || "function".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
