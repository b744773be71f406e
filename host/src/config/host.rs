use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{
    AddressBlock, Algorithm, Executions, FlushInterval, HostName, IssuerName, Location,
    OutboundRule, ProjectId, Size, Time, Url,
};
use crate::diagnostics::{DiagnosticsFormat, LogLevel};
use crate::logs::LogFormat;
use crate::settings::settings;

settings! {
    /// The process: its listeners and its capacity. Each key is the flag of `host serve` with the same name, and a flag
    /// that is given counts more. Changes take effect when the host is started again.
    #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
    file HostTable {}

    /// How a host serves. What the command line says counts more than what the file says, and that more than the default.
    #[derive(Clone, Debug, PartialEq, Eq)]
    in_force HostSettings;

    "Listener" {
        /// Where the function answers; port 0 takes a free one
        addr: SocketAddr or "127.0.0.1:8080, or port $PORT";
        /// Where the control plane answers
        admin_addr: SocketAddr = "127.0.0.1:8081";
        /// A name that the control plane goes by, beside addresses and localhost
        admin_hosts: [HostName] as "admin-host";
        /// Speak TLS on the control plane with this certificate chain (PEM); read again when it changes. Without it the
        /// methods of the control plane answer on loopback only
        admin_tls_cert: PathBuf;
        /// The private key (PEM) of the control plane's certificate
        admin_tls_key: PathBuf;
        /// A proxy in front of this host, by its address or a block of them: what it says of a client in X-Forwarded-For,
        /// -Proto, -Host and -Prefix, or in Forwarded, is believed
        trusted_proxies: [AddressBlock] as "trusted-proxy";
        /// Speak TLS with this certificate chain (PEM); read again when it changes
        tls_cert: PathBuf;
        /// The certificate's private key (PEM)
        tls_key: PathBuf;
        /// How long a client may take for a request head, or leave a connection idle
        header_timeout: Time = "30s";
        /// How long a client may pause within a request body
        body_timeout: Time = "30s";
        /// How long a client may take nothing of a response
        stall_timeout: Time = "30s";
        /// Connections at once
        max_connections: NonZeroUsize = "10000";
        /// HTTP/2 streams at once, per connection
        max_streams: NonZeroU32 = "100";
    }

    "Project" {
        /// What Google's tools call this host's project; kept for later starts
        project: ProjectId or "`local`, or what was kept";
        /// What they call its location; kept for later starts
        location: Location or "`local`, or what was kept";
    }

    "Tokens" {
        /// An address by which callers know this host, such as `https://functions.example.com`
        public_urls: [Url] as "public-url";
        /// The name of this host's own issuer
        issuer_url: IssuerName or "the control plane's address, where its keys are";
        /// What new keys of this host's own issuer sign with: RS256, ES256 or EdDSA
        signing_algorithm: Algorithm or "RS256";
    }

    "Jobs" {
        /// Let jobs call this URL's scheme, host and port, and nothing that is not named; a range of addresses lets host
        /// names lead there
        job_allow_outbound: [OutboundRule] or "anything";
        /// Trust these certificate authorities (PEM) as well, in what jobs call
        job_ca: PathBuf;
    }

    "Capacity" {
        /// Threads that serve
        workers: NonZeroUsize or "one per core";
        /// Executions at once, in all
        max_executions: Executions = "1000";
        /// Memory of all executions together
        total_memory: Size or "half of the machine's";
        /// How long a request waits for a free instance
        queue_time: Time = "5s";
        /// Requests that wait for a free instance at once, per function and worker
        queue_length: usize = "1000";
    }

    "Compiling" {
        /// Memory that compiling a component may take
        compile_memory: Size or "half of the machine's, 400Mi to 2Gi";
        /// How long compiling a component may take
        compile_timeout: Time = "10m";
    }

    "Logs" {
        /// How log entries are printed
        log_format: LogFormat = "table";
        /// How long log entries are kept on disk
        log_retention: Time = "30d";
        /// How much of the log is kept on disk
        log_max_size: Size = "10Gi";
        /// How long a log entry may wait to be written to disk: kill -9 loses none that is older
        log_flush_interval: FlushInterval = "200ms";
        /// Send log entries, and a span for each execution, to this collector as well: OTLP over HTTP, such as
        /// `http://127.0.0.1:4318`
        otlp_endpoint: Url;
        /// Send the headers of this file along, one `name: value` a line
        otlp_headers: PathBuf;
        /// Trust these certificate authorities (PEM) as well, of the collector
        otlp_ca: PathBuf;
    }

    "Diagnostics" {
        /// How much the process says of itself on stderr
        log_level: LogLevel = "info";
        /// How it is printed
        diagnostics_format: DiagnosticsFormat = "text";
    }

    by_hand {
        /// Directory for what is kept between runs
        state_dir: Option<PathBuf> => state_dir: Option<PathBuf>, "a directory", ["state-dir"],
            or "the platform's";
        /// Whether log entries are kept on disk
        keep_logs: Option<bool> => keep_logs: Option<bool>, "true or false", ["no-keep-logs"], or "true";
    }
}
