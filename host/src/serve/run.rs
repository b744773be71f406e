//! Puts the process together, runs it, and takes it down.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::admission::Admission;
use super::connection::Bounds;
use super::drain::{Drain, DrainHandle, Pending};
use super::invoke::Invoker;
use super::listener;
use super::loads::Loads;
use super::options::{Access, ServeOptions};
use super::tls::{self, Certificate, TlsError};
use super::worker::Worker;
use crate::console;
use crate::function::{Function, LoadError, Sandbox, SandboxError, Turnstile};
use crate::logs::{LogQueue, LogWriter};
use crate::signals::Signals;

/// How often certificate files are looked at.
const CERTIFICATE_POLL: Duration = Duration::from_secs(1);
/// How much longer than an execution's wall time a drain may take.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);
/// How long the last log entries may take to be written.
const LOG_CLOSE: Duration = Duration::from_secs(5);

/// Why a process does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The component cannot be loaded.
    #[error("{}: {error}", path.display())]
    Load {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: LoadError,
    },
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
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Open to the network without a word that it should be.
    #[error(
        "{0} can be reached from other machines; say who may call: --allow-unauthenticated (anyone) or \
         --no-allow-unauthenticated (only callers with a valid token)"
    )]
    Unguarded(SocketAddr),
    /// The system gave no thread or runtime.
    #[error("cannot start serving: {0}")]
    System(#[from] std::io::Error),
}

/// Serves until the process is told to end, then drains.
///
/// # Errors
/// Why it could not start. Once it serves, nothing but its end ends it.
pub fn run(options: &ServeOptions) -> Result<(), ServeError> {
    let access = access(options)?;
    let control = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = control.block_on(async { Signals::listen() })?;
    let certificate = options.tls.as_ref().map(Certificate::read).transpose()?;
    let function = control.block_on(load(options))?;
    let sockets = listener::open(options.addr, options.workers)
        .map_err(|error| listen(options.addr, error, "--addr"))?;
    let addr = match sockets.first() {
        Some(Some(socket)) => socket.local_addr()?,
        _ => options.addr,
    };
    let admin = console::bind(options.admin_addr)
        .map_err(|error| listen(options.admin_addr, error, "--admin-addr"))?;
    let admin_addr = admin.local_addr()?;
    let (log, writer) = LogWriter::stdout(options.log_format, &options.name)?;
    let tls = certificate
        .clone()
        .map(tls::server_config)
        .transpose()?
        .map(TlsAcceptor::from);
    announce(options, access, addr, admin_addr);

    let (handle, drain) = DrainHandle::new();
    let workers = start_workers(options, access, &function, sockets, tls, &log, &drain)?;
    control.block_on(async {
        if let Some(certificate) = certificate {
            tokio::spawn(watch_certificate(certificate));
        }
        let console = tokio::spawn(console::serve(admin));
        signals.next().await;
        eprintln!("Draining: running executions finish, no new ones start. Press Ctrl-C again to end at once.");
        handle.begin();
        let joined = tokio::task::spawn_blocking(move || {
            for worker in workers {
                // A worker that panicked has told so on stderr.
                let _ = worker.join();
            }
        });
        tokio::select! {
            _ = joined => {}
            code = signals.next() => std::process::exit(code),
        }
        console.abort();
    });
    drop(log);
    writer.close(LOG_CLOSE);
    Ok(())
}

/// Open by default only where nobody else can come in.
fn access(options: &ServeOptions) -> Result<Access, ServeError> {
    match options.access {
        Some(access) => Ok(access),
        None if options.addr.ip().is_loopback() => Ok(Access::Open),
        None => Err(ServeError::Unguarded(options.addr)),
    }
}

fn listen(addr: SocketAddr, error: std::io::Error, flag: &'static str) -> ServeError {
    ServeError::Listen { addr, error, flag }
}

async fn load(options: &ServeOptions) -> Result<Function, ServeError> {
    let sandbox = Sandbox::new(options.sandbox.clone())?;
    if let Some(reason) = sandbox.cache_refused() {
        eprintln!("warning: compiled components are not kept: {reason}");
    }
    sandbox
        .load(&options.component, options.function.clone())
        .await
        .map_err(|error| ServeError::Load {
            path: options.component.clone(),
            error,
        })
}

fn start_workers(
    options: &ServeOptions,
    access: Access,
    function: &Function,
    sockets: Vec<Option<std::net::TcpListener>>,
    tls: Option<TlsAcceptor>,
    log: &LogQueue,
    drain: &Drain,
) -> Result<Vec<thread::JoinHandle<()>>, ServeError> {
    let loads = Loads::new(options.workers, options.connections);
    let name: Arc<str> = options.name.as_str().into();
    let share = (options.sandbox.executions as usize / options.workers).max(1);
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        sockets.iter().map(|_| mpsc::unbounded_channel()).unzip();
    let workers = sockets.into_iter().zip(inboxes).enumerate();
    workers
        .map(|(index, (listener, inbox))| {
            let pending = Arc::new(Pending::default());
            let invoker = Invoker {
                function: function.clone(),
                name: Arc::clone(&name),
                access,
                admission: Admission::new(
                    options.concurrency.min(share),
                    options.queue_length,
                    options.queue_time,
                ),
                turns: Turnstile::new(),
                log: log.clone(),
                pending: Arc::clone(&pending),
                scheme: match tls {
                    Some(_) => http::uri::Scheme::HTTPS,
                    None => http::uri::Scheme::HTTP,
                },
            };
            let worker = Worker {
                index,
                listener,
                inbox,
                others: senders.clone(),
                loads: Arc::clone(&loads),
                invoker: Arc::new(invoker),
                pending,
                bounds: Bounds {
                    header_timeout: options.header_timeout,
                    stall_timeout: options.stall_timeout,
                    streams: options.streams,
                },
                tls: tls.clone(),
                drain: drain.clone(),
                drain_limit: options.function.limits.wall_time + DRAIN_MARGIN,
            };
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    if let Err(error) = worker.run() {
                        eprintln!("error: worker {index} cannot serve: {error}");
                    }
                })
                .map_err(ServeError::System)
        })
        .collect()
}

async fn watch_certificate(certificate: Arc<Certificate>) {
    let mut looks = tokio::time::interval(CERTIFICATE_POLL);
    loop {
        looks.tick().await;
        let certificate = Arc::clone(&certificate);
        // Reading files may block, and this thread answers the control plane.
        match tokio::task::spawn_blocking(move || certificate.refresh()).await {
            Ok(Ok(true)) => eprintln!("The TLS certificate was read again."),
            Ok(Err(error)) => eprintln!("error: the old TLS certificate stays in use: {error}"),
            Ok(Ok(false)) | Err(_) => {}
        }
    }
}

fn announce(options: &ServeOptions, access: Access, addr: SocketAddr, admin: SocketAddr) {
    let scheme = if options.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let who = match access {
        Access::Open => "open: anyone who reaches it may call",
        Access::Private => "private: callers need a valid token",
    };
    // Formatted first: stderr has no buffer, and each piece would be a write of its own.
    let lines = format!(
        "Function {}: {scheme}://{addr}/ ({who})\nControl plane: http://{admin}/healthz",
        options.name
    );
    eprintln!("{lines}");
}
