//! Puts the process together, runs it, and takes it down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::admission::Queue;
use super::announce::announce;
use super::catalog::{Catalog, WorkerRoutes};
use super::component::RootComponent;
use super::control_plane::ControlPlane;
use super::declared::DeclaredFunctions;
use super::descriptors;
use super::drain::DrainHandle;
use super::error::ServeError;
use super::listener;
use super::load::Loader;
use super::options::{Access, ServeOptions};
use super::readiness::Readiness;
use super::registry::{self, Registry};
use super::reload::{self, Files};
use super::routes::RouteTable;
use super::start::{self, Workers};
use super::tls::{self, Certificate};
use crate::console::{self, Names};
use crate::function::Sandbox;
use crate::logs::LogWriter;
use crate::signals::{Hangups, Signals};
use crate::store::{ServeLock, Store};

/// How long the last log entries may take to be written.
const LOG_CLOSE: Duration = Duration::from_secs(5);

/// How many characters the log's table gives names of functions that are not known yet.
const STORE_NAME_WIDTH: usize = 16;

/// Serves until the process is told to end, then drains.
///
/// # Errors
/// Why it could not start. Once it serves, nothing but its end ends it.
pub fn run(options: &ServeOptions) -> Result<(), ServeError> {
    descriptors::raise_limit();
    let access = access(options)?;
    let control = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (signals, hangups) = control.block_on(async { (Signals::listen(), Hangups::listen()) });
    let (mut signals, hangups) = (signals?, hangups?);
    let certificate = options.tls.as_ref().map(Certificate::read).transpose()?;
    let store = store(options)?;
    let sandbox = sandbox(options)?;
    let routes: Vec<_> = (0..options.workers)
        .map(|_| worker_routes(options))
        .collect();
    let catalog = Arc::new(Catalog::new(routes.clone(), queue(options)));
    let readiness = Arc::new(Readiness::default());
    let root = options.component.as_ref().map(|component| {
        let (sandbox, catalog) = (sandbox.clone(), Arc::clone(&catalog));
        RootComponent::new(component.clone(), access, sandbox, catalog)
    });
    if let Some(root) = &root {
        control.block_on(root.load())?;
    }
    let sockets = listener::open(options.addr, options.workers)
        .map_err(|error| listen(options.addr, error, "--addr"))?;
    let addr = match sockets.first() {
        Some(Some(socket)) => socket.local_addr()?,
        _ => options.addr,
    };
    let admin = console::bind(options.admin_addr)
        .map_err(|error| listen(options.admin_addr, error, "--admin-addr"))?;
    let admin_addr = admin.local_addr()?;
    let url = url(options, addr);
    let loader = Loader {
        sandbox: sandbox.clone(),
        request_idle: options.body_timeout,
    };
    let mut declared = None;
    let mut registry = None;
    if let Some((store, _lock)) = &store {
        store.begin_serving(&url)?;
        declared = declare(options, store, &loader)?;
        let (catalog, readiness) = (Arc::clone(&catalog), Arc::clone(&readiness));
        let mut following = Registry::new(Arc::clone(store), loader, catalog, readiness);
        following.refresh()?;
        registry = Some(following);
    }
    let mut name = catalog.longest_name();
    if store.is_some() {
        // Functions that are deployed later should stand in the same column.
        name = format!("{name:STORE_NAME_WIDTH$}");
    }
    let (log, writer) = LogWriter::stdout(options.log_format, &name)?;
    let tls = certificate
        .clone()
        .map(tls::server_config)
        .transpose()?
        .map(TlsAcceptor::from);
    announce(options, access, &url, &catalog, admin_addr);

    let (handle, drain) = DrainHandle::new();
    let workers = Workers {
        options,
        routes,
        tls,
        log: log.clone(),
        drain: drain.clone(),
    };
    let workers = workers.start(sockets)?;
    let subject = ControlPlane {
        catalog,
        readiness,
        sandbox,
        log: log.clone(),
        drain,
        started: SystemTime::now(),
    };
    control.block_on(async {
        if let Some(certificate) = certificate {
            tokio::spawn(tls::watch(certificate));
        }
        if let Some(registry) = registry {
            tokio::spawn(registry::follow(registry));
        }
        tokio::spawn(reload::follow(Files { root, declared }, options.watch, hangups));
        let names = Names::new(&options.admin_hosts);
        let console = tokio::spawn(console::serve(admin, names, subject));
        signals.next().await;
        eprintln!("Draining: running executions finish, no new ones start. Press Ctrl-C again to end at once.");
        handle.begin();
        tokio::select! {
            () = start::ended(workers) => {}
            code = signals.next() => std::process::exit(code),
        }
        console.abort();
    });
    drop(log);
    writer.close(LOG_CLOSE);
    Ok(())
}

/// Open by default only where nobody else can come in. A function of the store says so itself.
fn access(options: &ServeOptions) -> Result<Access, ServeError> {
    match options.component.as_ref().map(|component| component.access) {
        Some(Some(access)) => Ok(access),
        None => Ok(Access::Private),
        Some(None) if options.addr.ip().is_loopback() => Ok(Access::Open),
        Some(None) => Err(ServeError::Unguarded(options.addr)),
    }
}

fn listen(addr: SocketAddr, error: std::io::Error, flag: &'static str) -> ServeError {
    ServeError::Listen { addr, error, flag }
}

/// The store, which nobody else serves from while the lock is held.
fn store(options: &ServeOptions) -> Result<Option<(Arc<Store>, ServeLock)>, ServeError> {
    let Some(directory) = &options.functions else {
        return Ok(None);
    };
    let store = Store::open(directory)?;
    let lock = store.lock_for_serving()?;
    Ok(Some((Arc::new(store), lock)))
}

/// Has the store know what the configuration file declares; without a file, that nothing is declared.
fn declare(
    options: &ServeOptions,
    store: &Arc<Store>,
    loader: &Loader,
) -> Result<Option<DeclaredFunctions>, ServeError> {
    let Some(path) = &options.config else {
        store.declare("", &[])?;
        return Ok(None);
    };
    let (store, loader) = (Arc::clone(store), loader.clone());
    let mut declared = DeclaredFunctions::new(path.clone(), store, loader);
    declared.apply()?;
    Ok(Some(declared))
}

fn sandbox(options: &ServeOptions) -> Result<Sandbox, ServeError> {
    let sandbox = Sandbox::new(options.sandbox.clone())?;
    if let Some(reason) = sandbox.cache_refused() {
        eprintln!("warning: compiled components are not kept: {reason}");
    }
    Ok(sandbox)
}

fn queue(options: &ServeOptions) -> Queue {
    Queue {
        length: options.queue_length,
        time: options.queue_time,
    }
}

/// What one worker serves before any function is there: nothing.
fn worker_routes(options: &ServeOptions) -> WorkerRoutes {
    let share = (options.sandbox.executions as usize / options.workers).max(1);
    WorkerRoutes {
        table: Arc::new(RouteTable::default()),
        places: Arc::new(Semaphore::new(share)),
    }
}

/// Where the functions answer, without a slash at the end.
fn url(options: &ServeOptions, addr: SocketAddr) -> String {
    let scheme = match options.tls {
        Some(_) => "https",
        None => "http",
    };
    format!("{scheme}://{addr}")
}
