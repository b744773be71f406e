use std::net::SocketAddr;
use std::path::PathBuf;

use host_tokens::{AmbiguousIssuer, IssuerUrlError};

use crate::advice;
use crate::config::ConfigError;
use crate::identity::OwnIssuerError;
use crate::logs::SegmentError;
use crate::scheduler::SchedulerError;
use crate::store::StoreError;
use host_sandbox::{LoadError, SandboxError};

/// Why a process does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The component cannot be loaded.
    #[error("{}", advice::named(error, path.display()))]
    Load {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: LoadError,
    },
    /// The component does not come from standard input.
    #[error("{0}")]
    Stdin(String),
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// An address cannot be listened on.
    #[error("cannot listen on {addr}: {error}; choose another address with {flag}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        error: std::io::Error,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// What a service manager handed over cannot be listened on.
    #[error("the sockets that the service manager hands over cannot be used: {0}")]
    Inherited(String),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The component goes by the name of a function beside it.
    #[error(
        "there is a function `{0}` in the store as well, and metrics and log entries of both would be one; give the \
         component another name with --name"
    )]
    NameTaken(String),
    /// The log cannot be kept.
    #[error("{0}; or let it not be kept with --no-keep-logs")]
    Segments(#[from] SegmentError),
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration file cannot be used but for what it takes away.
    #[error("{error}; what the file takes away is gone all the same: {taken}")]
    Tightened {
        /// What that is.
        taken: String,
        /// Why the rest cannot be used.
        error: Box<ServeError>,
    },
    /// The host's own issuer cannot be used.
    #[error(transparent)]
    OwnIssuer(#[from] OwnIssuerError),
    /// The keys of the host's own issuer cannot be looked after.
    #[error("its keys cannot be kept: {0}")]
    OwnKeys(String),
    /// The host's own issuer has no name.
    #[error("the name of the host's own issuer: {0}")]
    IssuerUrl(#[from] IssuerUrlError),
    /// Two issuers go by one name.
    #[error(transparent)]
    Issuers(#[from] AmbiguousIssuer),
    /// Jobs cannot be run.
    #[error(transparent)]
    Jobs(#[from] SchedulerError),
    /// The trigger of the command line is no job.
    #[error("--schedule: {0}")]
    Trigger(String),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Open to the network without a word that it should be.
    #[error(
        "{0} can be reached from other machines; say who may call: --allow-unauthenticated (anyone) or \
         --no-allow-unauthenticated (only callers with a valid token)"
    )]
    Unguarded(SocketAddr),
    /// There are too few file descriptors to take up a connection.
    #[error(
        "no more than {limit} files may be open, and this host needs {needed} at the least; raise that limit (`ulimit -n`, or \
         LimitNOFILE= of systemd), or take fewer --workers"
    )]
    Descriptors {
        /// How many there may be.
        limit: usize,
        /// With how many one connection at a time can be served.
        needed: usize,
    },
    /// The system gave a worker no thread or runtime.
    #[error("a worker cannot start: {_0}{}", what_to_do(_0))]
    Worker(std::io::Error),
    /// The system gave no thread or runtime.
    #[error("cannot start serving: {_0}{}", what_to_do(_0))]
    System(#[from] std::io::Error),
}

fn what_to_do(error: &std::io::Error) -> &'static str {
    match rustix::io::Errno::from_io_error(error) {
        Some(rustix::io::Errno::MFILE) => {
            "; raise the limit on open files (`ulimit -n`, or LimitNOFILE= of systemd), or take fewer --workers"
        }
        _ => "",
    }
}

/// A certificate that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file.
    #[error(
        "cannot read the certificate {path}: {reason}; expected PEM with the server's certificate first"
    )]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key file.
    #[error("cannot read the key {path}: {reason}; expected one PEM private key")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The two do not belong together, or cannot be used.
    #[error("the certificate and the key cannot be used together: {0}")]
    Pair(String),
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}
