//! What a serving process is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::keyvalue::BucketOptions;
use crate::config::HostSettings;
use crate::identity::OutsideIssuer;
use crate::logs::{Collector, Retention};
use crate::scheduler::Reach;
use crate::store::JobSettings;
use host_sandbox::{FunctionConfig, SandboxConfig};
use host_tokens::{IssuerUrl, Member, SigningAlgorithm};

/// Who may call the component of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentAccess {
    /// Anyone who reaches the listener.
    Open,
    /// Only callers with a good token: these members, or if there are none, all service accounts of this host.
    Private(Vec<Member>),
}

impl ComponentAccess {
    /// Who may call; nothing if anyone may.
    pub(super) fn members(&self) -> Option<&[Member]> {
        match self {
            Self::Open => None,
            Self::Private(members) => Some(members),
        }
    }
}

/// Whose tokens are trusted, and what the host's own are like.
#[derive(Clone, Debug)]
pub struct IdentityOptions {
    /// The state directory with the service accounts.
    pub store: PathBuf,
    /// The name of the host's own issuer; by default the control plane's address, where its keys are published.
    pub issuer_url: Option<IssuerUrl>,
    /// What new keys of the host's own issuer sign with.
    pub algorithm: SigningAlgorithm,
    /// Addresses by which callers know the functions, beside the listener's.
    pub public_urls: Vec<String>,
    /// Issuers beside the host's own and those of the configuration file.
    pub issuers: Vec<OutsideIssuer>,
}

/// What jobs may call, and what the command line has called.
#[derive(Clone, Debug, Default)]
pub struct JobOptions {
    /// What jobs may call.
    pub reach: Reach,
    /// When the component is called, and with what; its own address takes the place of the URI.
    pub trigger: Option<JobSettings>,
}

/// A certificate chain and its key, as PEM files. They are read again when they change.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The key of the first certificate.
    pub key: PathBuf,
}

/// A component on the command line.
#[derive(Clone, Debug)]
pub struct ComponentOptions {
    /// Its file.
    pub file: PathBuf,
    /// The function's name in log entries.
    pub name: String,
    /// Who may call; if not said, anyone on loopback, and anywhere else the process does not start.
    pub access: Option<ComponentAccess>,
    /// The function's settings.
    pub function: FunctionConfig,
    /// Executions at once, per worker.
    pub concurrency: usize,
    /// Its buckets of keys and values.
    pub buckets: BucketOptions,
}

/// A log on disk.
#[derive(Clone, Debug)]
pub struct KeptLog {
    /// Its directory.
    pub directory: PathBuf,
    /// How long and how much is kept.
    pub keeping: Retention,
    /// How long an entry may wait to be written.
    pub flush_interval: Duration,
}

/// Settings of a serving process.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// What the command line and the configuration file set of the host.
    pub host: HostSettings,
    /// The component that answers on every path which no function of the store has, if there is one.
    pub component: Option<ComponentOptions>,
    /// The state directory whose functions are served, if they are.
    pub functions: Option<PathBuf>,
    /// The state directory that keeps keys and values of the component where nothing else needs a store; without one, they
    /// are in memory.
    pub keyvalue: Option<PathBuf>,
    /// The file that declares functions, if there is one. It takes the store.
    pub config: Option<PathBuf>,
    /// Whose tokens let callers in.
    pub identity: IdentityOptions,
    /// What jobs may call, and the trigger of the component.
    pub jobs: JobOptions,
    /// Where functions answer; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether the configuration and the components of files are loaded again when the files change.
    pub watch: bool,
    /// TLS, if the listener speaks it.
    pub tls: Option<TlsFiles>,
    /// TLS, if the control plane speaks it.
    pub admin_tls: Option<TlsFiles>,
    /// Threads that serve.
    pub workers: usize,
    /// The sandbox.
    pub sandbox: SandboxConfig,
    /// Where log entries are kept, if they are.
    pub kept_log: Option<KeptLog>,
    /// Where log entries and spans are sent on to, if they are.
    pub collector: Option<Collector>,
}
