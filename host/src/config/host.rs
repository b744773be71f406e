use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{AddressBlock, Executions, FlushInterval, Size, Time};
use crate::diagnostics::{DiagnosticsFormat, LogLevel};
use crate::logs::LogFormat;

/// The process: its listeners and its capacity. Each key is the flag of `host serve` with the same name, and a flag
/// that is given counts more. Changes take effect when the host is started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostTable {
    /// Where the functions answer, such as 127.0.0.1:8080
    #[schemars(with = "Option<String>")]
    pub addr: Option<SocketAddr>,
    /// Where the control plane answers
    #[schemars(with = "Option<String>")]
    pub admin_addr: Option<SocketAddr>,
    /// Names that the control plane goes by, beside addresses and localhost
    pub admin_hosts: Vec<String>,
    /// Proxies in front of this host whose word is taken for who the client is, by their addresses or blocks of them
    pub trusted_proxies: Vec<AddressBlock>,
    /// Addresses by which callers know this host, such as `https://functions.example.com`
    pub public_urls: Vec<String>,
    /// The name of this host's own issuer
    pub issuer_url: Option<String>,
    /// What new keys of this host's own issuer sign with: RS256, ES256 or EdDSA
    #[schemars(extend("enum" = ["RS256", "ES256", "EdDSA", null]))]
    pub signing_algorithm: Option<String>,
    /// Directory for what is kept between runs
    pub state_dir: Option<PathBuf>,
    /// Speak TLS with this certificate chain (PEM)
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    pub tls_key: Option<PathBuf>,
    /// How long a client may take for a request head, or leave a connection idle
    pub header_timeout: Option<Time>,
    /// How long a client may pause within a request body
    pub body_timeout: Option<Time>,
    /// How long a client may take nothing of a response
    pub stall_timeout: Option<Time>,
    /// Connections at once
    pub max_connections: Option<NonZeroUsize>,
    /// HTTP/2 streams at once, per connection
    pub max_streams: Option<NonZeroU32>,
    /// Threads that serve
    pub workers: Option<NonZeroUsize>,
    /// Executions at once, in all
    pub max_executions: Option<Executions>,
    /// Memory of all executions together
    pub total_memory: Option<Size>,
    /// Memory that compiling a component may take
    pub compile_memory: Option<Size>,
    /// How long compiling a component may take
    pub compile_timeout: Option<Time>,
    /// How long a request waits for a free instance
    pub queue_time: Option<Time>,
    /// Requests that wait for a free instance at once, per function and worker
    pub queue_length: Option<usize>,
    /// URLs whose scheme, host and port jobs may call; anything, if none are named
    pub job_allow_outbound: Vec<String>,
    /// Certificate authorities (PEM) that are trusted beside the public ones in what jobs call
    pub job_ca: Option<PathBuf>,
    /// How much the process says of itself on stderr
    pub log_level: Option<LogLevel>,
    /// How it is printed: a line of text, or a JSON object on a line
    pub diagnostics_format: Option<DiagnosticsFormat>,
    /// How log entries are printed
    pub log_format: Option<LogFormat>,
    /// Whether log entries are kept on disk
    pub keep_logs: Option<bool>,
    /// How long log entries are kept on disk
    pub log_retention: Option<Time>,
    /// How much of the log is kept on disk
    pub log_max_size: Option<Size>,
    /// How long a log entry may wait to be written to disk
    pub log_flush_interval: Option<FlushInterval>,
    /// A collector that log entries and spans are sent to: OTLP over HTTP, such as `http://127.0.0.1:4318`
    pub otlp_endpoint: Option<String>,
    /// A file with headers that are sent along, one `name: value` a line
    pub otlp_headers: Option<PathBuf>,
    /// Certificate authorities (PEM) that are trusted beside the public ones of the collector
    pub otlp_ca: Option<PathBuf>,
}
