//! `host serve`

mod identity;
mod jobs;
mod logs;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, Args};

use super::Message;
use super::compiler::{CompilerArgs, compiler};
use super::flags::{Flags, HostSection, Section};
use super::state::StateDirectory;
use crate::config::values::{Listed, Pair, allowed, bucket_name, map, pairs};
use crate::config::{ConfigFile, HostSettings};
use crate::serve::{
    self, BucketOptions, ComponentOptions, ServeOptions, TlsFiles, function_config,
};
use crate::settings::{FunctionSettings, Setting};
use crate::{diagnostics, input};
use host_sandbox::{FunctionConfig, OutboundPolicy, SandboxConfig};
use identity::IdentityArgs;
use jobs::JobArgs;
use logs::LogArgs;

const DEFAULT_PORT: u16 = 8080;
/// The largest file of certificates, in bytes.
const LARGEST_PEM: u64 = 16 << 20;

/// Serve a component, or the functions that were deployed, over HTTP
///
/// Every path and method reaches the component. Functions answer below /NAME. Their log entries go to stdout, everything else to stderr. Ctrl-C and
/// SIGTERM let running executions finish; a second one ends at once.
#[derive(Args)]
#[command(mut_arg("tls_cert", |flag| flag.requires("tls_key")))]
#[command(mut_arg("tls_key", |flag| flag.requires("tls_cert")))]
#[command(mut_arg("admin_tls_cert", |flag| flag.requires("admin_tls_key")))]
#[command(mut_arg("admin_tls_key", |flag| flag.requires("admin_tls_cert")))]
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
    listener: Flags<Listener>,

    #[command(flatten)]
    project: Flags<Project>,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    jobs: JobArgs,

    #[command(flatten)]
    function: FunctionArgs,

    #[command(flatten)]
    capacity: Flags<Capacity>,

    #[command(flatten)]
    state: StateDirectory,

    #[command(flatten)]
    compiler: CompilerArgs,

    #[command(flatten)]
    logs: LogArgs,

    #[command(flatten)]
    diagnostics: Flags<Diagnostics>,
}

struct Listener;

impl HostSection for Listener {
    const NAME: &'static str = "Listener";
}

struct Project;

impl HostSection for Project {
    const NAME: &'static str = "Project";
}

struct Capacity;

impl HostSection for Capacity {
    const NAME: &'static str = "Capacity";
}

struct Diagnostics;

impl HostSection for Diagnostics {
    const NAME: &'static str = "Diagnostics";
}

/// The settings of a component on the command line.
struct Component;

impl Section for Component {
    type Settings = FunctionSettings;
    const SECTION: &'static str = "Function";

    fn takes(setting: &Setting<FunctionSettings>) -> bool {
        // All executions are its own: --max-executions bounds them.
        setting.name != "max_instances"
    }

    fn fitted(flag: Arg, setting: &Setting<FunctionSettings>) -> Arg {
        flag.requires("component").default_value(setting.default)
    }
}

#[derive(Args)]
#[command(next_help_heading = "Function")]
struct FunctionArgs {
    #[command(flatten)]
    settings: Flags<Component>,

    /// Keep the function's instances for further requests, one after the other
    ///
    /// What it has in memory stays for the next caller. Without this each request gets a fresh instance.
    #[arg(long, requires = "component")]
    warm: bool,

    /// Environment variables of the function
    #[arg(long, requires = "component", value_name = "KEY=VALUE,…", value_parser = pairs)]
    set_env_vars: Vec<Listed<Pair>>,

    /// What the function finds in `wasi:config`
    #[arg(long, requires = "component", value_name = "KEY=VALUE,…", value_parser = pairs)]
    set_config: Vec<Listed<Pair>>,

    /// A bucket of `wasi:keyvalue` that the function shares with all that name it; once for each
    #[arg(long, requires = "component", value_name = "NAME", value_parser = bucket_name)]
    keyvalue_bucket: Vec<String>,

    /// Let the function call this URL's scheme, host and port, such as https://api.example.com
    ///
    /// A range of addresses, such as 10.1.2.0/24, lets allowed host names lead to private addresses.
    #[arg(long, requires = "component", value_name = "URL|CIDR", value_parser = outbound_rule)]
    allow_outbound: Vec<String>,

    /// Trust these certificate authorities (PEM) as well, in outbound calls
    #[arg(long, requires = "component", value_name = "FILE")]
    outbound_ca: Option<PathBuf>,
}

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let options = self.options()?;
        serve::run(&options).map_err(|error| error.to_string())?;
        Ok(ExitCode::SUCCESS)
    }

    fn options(self) -> Result<ServeOptions, Message> {
        let file = self.config.as_deref().map(ConfigFile::read).transpose();
        // What is wrong with the file is said as the flags have it.
        let host = self.host(file.as_ref().ok().and_then(Option::as_ref));
        diagnostics::begin(host.log_level, host.diagnostics_format);
        let file = file.map_err(|error| error.to_string())?;
        let state = self.state.or(host.state_dir.clone());
        let access = self.identity.access()?;
        let functions = match (&self.component, self.with_functions || file.is_some()) {
            (Some(_), false) => None,
            _ => Some(state.directory()?),
        };
        let component = match self.component {
            None => None,
            Some(file) => {
                let (function, settings) = self.function.config(host.body_timeout)?;
                Some(ComponentOptions {
                    name: self.name.unwrap_or_else(|| file_name(&file)),
                    file,
                    access,
                    function,
                    concurrency: settings.concurrency,
                    buckets: BucketOptions::of(&settings),
                })
            }
        };
        Ok(ServeOptions {
            component,
            functions,
            keyvalue: state.named_directory(),
            config: file.map(|file| file.path().to_owned()),
            identity: self.identity.options(&host, &state)?,
            jobs: self.jobs.options(&host)?,
            addr: addr(&host)?,
            watch: self.watch,
            tls: tls(&host.tls_cert, &host.tls_key),
            admin_tls: tls(&host.admin_tls_cert, &host.admin_tls_key),
            workers: workers(&host),
            sandbox: sandbox(&host, &state),
            kept_log: self.logs.kept(&host, &state),
            collector: logs::collector(&host)?,
            host,
        })
    }

    /// The settings of the host: what the command line says counts more than what the file says.
    fn host(&self, file: Option<&ConfigFile>) -> HostSettings {
        let mut host = file.map(ConfigFile::host).unwrap_or_default();
        self.listener.apply(&mut host);
        self.project.apply(&mut host);
        self.identity.host.apply(&mut host);
        self.jobs.host.apply(&mut host);
        self.capacity.apply(&mut host);
        self.compiler.apply(&mut host);
        self.logs.host.apply(&mut host);
        self.diagnostics.apply(&mut host);
        host
    }
}

fn addr(host: &HostSettings) -> Result<SocketAddr, Message> {
    if let Some(addr) = host.addr {
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

fn tls(certificate: &Option<PathBuf>, key: &Option<PathBuf>) -> Option<TlsFiles> {
    let (certificate, key) = certificate.clone().zip(key.clone())?;
    Some(TlsFiles { certificate, key })
}

fn workers(host: &HostSettings) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    host.workers.unwrap_or_else(cores)
}

fn sandbox(host: &HostSettings, state: &StateDirectory) -> SandboxConfig {
    let mut sandbox = SandboxConfig::default()
        .cache(state.compile_cache())
        .compiler(compiler(host))
        .executions(u32::try_from(host.max_executions).unwrap_or(u32::MAX));
    if let Some(total) = host.total_memory {
        sandbox.total_memory = total;
    }
    sandbox
}

impl FunctionArgs {
    /// What the sandbox is told of the component, and its settings.
    fn config(
        &self,
        request_idle: Duration,
    ) -> Result<(FunctionConfig, FunctionSettings), Message> {
        let mut settings = FunctionSettings {
            environment: map(&self.set_env_vars)?,
            config: map(&self.set_config)?,
            keyvalue_buckets: self.keyvalue_bucket.clone(),
            allow_outbound: self.allow_outbound.clone(),
            warm: self.warm,
            ..FunctionSettings::default()
        };
        self.settings.apply(&mut settings);
        let mut config = function_config(&settings)?;
        config.limits.request_idle = request_idle;
        if let Some(path) = &self.outbound_ca {
            trust(&mut config.outbound, path, "--outbound-ca")?;
        }
        Ok((config, settings))
    }
}

/// Refuses what cannot be allowed while the command line is read.
fn outbound_rule(text: &str) -> Result<String, String> {
    allowed(text).map(|()| text.to_owned())
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
