//! The first step of a start: what the process takes from the system, and can be refused.

use std::env;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use host_sandbox::Sandbox;
use host_sandbox::memory::{MIB, available as available_memory};
use host_sandbox::outbound::authorities;
use host_tokens::SteadyClock;
use tokio::runtime::{Builder, Runtime};

use super::addresses::Addresses;
use super::descriptors;
use super::inherited::Inherited;
use super::sandbox_setup::SandboxSetup;
use crate::console::socket::{self, Socket};
use crate::console::{self, Console};
use crate::logs::SegmentWriter;
use crate::serve::error::ServeError;
use crate::serve::listener::sockets;
use crate::serve::listener::tls::Certificate;
use crate::serve::options::{ComponentAccess, ServeOptions};
use crate::signals::{Ending, Hangups};
use crate::stderr;
use crate::store::{Project, ServeLock, Store};

/// What a process has that is about to serve.
pub(in crate::serve) struct Opened {
    pub(in crate::serve) clock: SteadyClock,
    pub(in crate::serve) ending: Ending,
    /// Who may call the component, if there is one.
    pub(in crate::serve) access: Option<ComponentAccess>,
    /// The runtime of the control plane, on the main thread.
    pub(in crate::serve) control: Runtime,
    /// For the files, and for the functions of the store.
    pub(in crate::serve) hangups: [Hangups; 2],
    pub(in crate::serve) certificate: Option<Arc<Certificate>>,
    /// The control plane's.
    pub(in crate::serve) admin_certificate: Option<Arc<Certificate>>,
    /// With the lock that keeps other processes from serving from it.
    pub(in crate::serve) store: Option<(Arc<Store>, ServeLock)>,
    /// One for each worker; one without gets its connections from the others.
    pub(in crate::serve) sockets: Vec<Option<TcpListener>>,
    /// Where the functions answer.
    pub(in crate::serve) addr: SocketAddr,
    pub(in crate::serve) admin: Console,
    pub(in crate::serve) admin_addr: SocketAddr,
    /// By which commands of the owner reach the control plane, where functions of the store are served.
    pub(in crate::serve) socket: Option<Socket>,
    pub(in crate::serve) addresses: Addresses,
    pub(in crate::serve) segments: Option<SegmentWriter>,
    pub(in crate::serve) sandbox: Sandbox,
}

impl Opened {
    /// Takes all of it, in an order in which what is refused most often comes first.
    ///
    /// # Errors
    /// What is refused, and what to do.
    pub(in crate::serve) fn open(options: &ServeOptions) -> Result<Self, ServeError> {
        let clock = SteadyClock::start();
        descriptors::raise_limit();
        let mut inherited = Inherited::take()?;
        let ending = Ending::listen()?;
        stderr::never_wait(options.host.diagnostics_format.missing())?;
        let access = component_access(options, inherited.addr()?)?;
        let control = Builder::new_current_thread().enable_all().build()?;
        let hangups = {
            let _runtime = control.enter();
            [Hangups::listen()?, Hangups::listen()?]
        };
        let certificate = options.tls.as_ref().map(Certificate::read).transpose()?;
        let admin_certificate = options.admin_tls.as_ref().map(Certificate::read);
        let admin_certificate = admin_certificate.transpose()?;
        let store = store(options, access.as_ref())?;
        let project = match &store {
            Some((store, _lock)) => project(options, store)?,
            None => Project::default(),
        };
        let socket = match (&store, &options.functions) {
            (Some(_), Some(directory)) => owner_socket(directory),
            _ => None,
        };
        warn_of_memory(options);
        warn_of_authorities();
        let sandbox = SandboxSetup::begin(options)?;
        let (sockets, addr) = data_plane(options, &mut inherited)?;
        let admin = control_plane(options, &mut inherited)?;
        let admin_addr = admin.local_addr()?;
        Ok(Self {
            clock,
            ending,
            access,
            control,
            hangups,
            certificate,
            admin_certificate,
            store,
            sockets,
            addr,
            admin,
            admin_addr,
            socket,
            addresses: Addresses::new(options, addr, admin_addr, &project),
            segments: segments(options)?,
            sandbox: sandbox.ready()?,
        })
    }

    /// The store, if there is one.
    pub(in crate::serve) fn store(&self) -> Option<&Arc<Store>> {
        self.store.as_ref().map(|(store, _lock)| store)
    }
}

/// The sockets of the functions, and where they listen.
fn data_plane(
    options: &ServeOptions,
    inherited: &mut Inherited,
) -> Result<(Vec<Option<TcpListener>>, SocketAddr), ServeError> {
    let sockets = match inherited.data_plane(options.workers) {
        Some(sockets) => sockets,
        None => sockets::open(options.addr, options.workers)
            .map_err(|error| listen(options.addr, error, "--addr"))?,
    };
    let addr = match sockets.first() {
        Some(Some(socket)) => socket.local_addr()?,
        _ => options.addr,
    };
    Ok((sockets, addr))
}

fn control_plane(options: &ServeOptions, inherited: &mut Inherited) -> Result<Console, ServeError> {
    let addr = options.host.admin_addr;
    match inherited.control_plane() {
        Some(socket) => Ok(socket.into()),
        None => console::bind(addr).map_err(|error| listen(addr, error, "--admin-addr")),
    }
}

fn listen(addr: SocketAddr, error: std::io::Error, flag: &'static str) -> ServeError {
    ServeError::Listen { addr, error, flag }
}

/// Where log entries are kept. A component that is served by itself is so even where another process writes the log.
fn segments(options: &ServeOptions) -> Result<Option<SegmentWriter>, ServeError> {
    let Some(log) = &options.kept_log else {
        return Ok(None);
    };
    match SegmentWriter::open(&log.directory, log.keeping) {
        Ok(segments) => Ok(Some(segments)),
        Err(error) if options.functions.is_none() => {
            tracing::warn!("log entries are not kept: {error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Who may call the component, if there is one: anyone by default, but only where nobody else can come in.
fn component_access(
    options: &ServeOptions,
    inherited: Option<SocketAddr>,
) -> Result<Option<ComponentAccess>, ServeError> {
    let addr = inherited.unwrap_or(options.addr);
    let Some(component) = &options.component else {
        return Ok(None);
    };
    match &component.access {
        Some(access) => Ok(Some(access.clone())),
        None if addr.ip().is_loopback() => Ok(Some(ComponentAccess::Open)),
        None => Err(ServeError::Unguarded(addr)),
    }
}

/// The project and the location: those that are kept, as far as the options name no others.
fn project(options: &ServeOptions, store: &Store) -> Result<Project, ServeError> {
    let kept = store.project()?;
    let (id, location) = (&options.host.project, &options.host.location);
    let project = Project {
        id: id.clone().unwrap_or_else(|| kept.id.clone()),
        location: location.clone().unwrap_or_else(|| kept.location.clone()),
    };
    if project != kept {
        store.set_project(&project)?;
    }
    Ok(project)
}

/// The socket of the state directory. Commands can do without it, as they do where no host serves.
fn owner_socket(directory: &Path) -> Option<Socket> {
    let socket = socket::bind(directory);
    let warn = |error: &std::io::Error| {
        tracing::warn!(
            "commands cannot reach this host by a socket in the state directory: {error}"
        );
    };
    socket.inspect_err(warn).ok()
}

/// Executions that may take more memory than there is end the process instead of one another.
fn warn_of_memory(options: &ServeOptions) {
    let (total, available) = (options.sandbox.total_memory, available_memory());
    if total > available {
        tracing::warn!(
            "--total-memory lets executions take {} MiB, and this process may have {} MiB; take less, or it is \
             ended when they do",
            total / MIB,
            available / MIB
        );
    }
}

/// Authorities that the environment names and that cannot be read. Those of the system itself are read when they are needed.
fn warn_of_authorities() {
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .any(|name| env::var_os(name).is_some())
    {
        for reason in authorities::unread() {
            tracing::warn!("certificate authorities are left out: {reason}");
        }
    }
}

/// The store, if functions or accounts of it are needed. Nobody else serves from it while the lock is held.
fn store(
    options: &ServeOptions,
    component_access: Option<&ComponentAccess>,
) -> Result<Option<(Arc<Store>, ServeLock)>, ServeError> {
    let directory = match (&options.functions, component_access) {
        (Some(directory), _) => directory,
        (None, Some(ComponentAccess::Private(_))) => &options.identity.store,
        _ => return Ok(None),
    };
    let store = Store::open(directory)?;
    let lock = store.lock_for_serving()?;
    if let Err(error) = store.remove_left_backups() {
        tracing::warn!("backups that an earlier process left stay in the state directory: {error}");
    }
    Ok(Some((Arc::new(store), lock)))
}
