//! Puts the process together, runs it, and takes it down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use host_tokens::SteadyClock;
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::access;
use super::addresses::Addresses;
use super::admission::Queue;
use super::announce::announce;
use super::catalog::{Catalog, WorkerRoutes};
use super::component::RootComponent;
use super::control_plane::ControlPlane;
use super::declared::{DeclaredFunctions, DeclaredIssuers};
use super::descriptors;
use super::drain::DrainHandle;
use super::error::ServeError;
use super::inherited::Inherited;
use super::job_tokens::JobTokens;
use super::jobs::Parts;
use super::listener;
use super::load::Loader;
use super::options::{ComponentAccess, ServeOptions};
use super::own_identity::{self, OwnIdentity};
use super::published::Published;
use super::readiness::Readiness;
use super::registry::{self, Registry};
use super::reload::{self, Files};
use super::sandbox_setup::SandboxSetup;
use super::service_manager;
use super::serving::serving_host;
use super::shares::{self, MemoryShares};
use super::start::{self, Workers};
use super::tls::{self, Certificate};
use super::trust_board::TrustBoard;
use super::watched;
use crate::console::{self, Names};
use crate::identity::OwnIssuer;
use crate::logs::{Destinations, FLUSH_INTERVAL, LogWriter, SegmentWriter};
use crate::scheduler::{self, OwnListener, Scheduler};
use crate::signals::{Ending, Hangups};
use crate::stderr;
use crate::store::{ServeLock, Store};
use host_sandbox::memory::{MIB, available as available_memory};

/// How long the last log entries may take to be written.
const LOG_CLOSE: Duration = Duration::from_secs(5);

/// How many characters the log's table gives names of functions that are not known yet.
const STORE_NAME_WIDTH: usize = 16;

/// Serves until the process is told to end, then drains.
///
/// # Errors
/// Why it could not start. Once it serves, nothing but its end ends it.
pub fn run(options: &ServeOptions) -> Result<(), ServeError> {
    let clock = SteadyClock::start();
    descriptors::raise_limit();
    let mut inherited = Inherited::take()?;
    let mut ending = Ending::listen()?;
    stderr::never_wait()?;
    let component_access = component_access(options, inherited.addr()?)?;
    let control = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let [file_hangups, function_hangups] = {
        let _runtime = control.enter();
        [Hangups::listen()?, Hangups::listen()?]
    };
    let certificate = options.tls.as_ref().map(Certificate::read).transpose()?;
    let store = store(options, component_access.as_ref())?;
    warn_of_memory(options);
    let sandbox = SandboxSetup::begin(options)?;
    let sockets = match inherited.data_plane(options.workers) {
        Some(sockets) => sockets,
        None => listener::open(options.addr, options.workers)
            .map_err(|error| listen(options.addr, error, "--addr"))?,
    };
    let addr = match sockets.first() {
        Some(Some(socket)) => socket.local_addr()?,
        _ => options.addr,
    };
    let admin = match inherited.control_plane() {
        Some(socket) => socket.into(),
        None => console::bind(options.host.admin_addr)
            .map_err(|error| listen(options.host.admin_addr, error, "--admin-addr"))?,
    };
    let admin_addr = admin.local_addr()?;
    let addresses = Addresses::new(options, addr, admin_addr);

    let segments = segments(options)?;
    let sandbox = sandbox.ready()?;

    let routes: Vec<_> = (0..options.workers)
        .map(|_| worker_routes(options))
        .collect();
    let most_places = shares::places_of_one(options);
    let catalog = Arc::new(Catalog::new(routes.clone(), most_places, queue(options)));
    let readiness = Arc::new(Readiness::default());
    let board = Arc::new(TrustBoard::new(options.workers));
    let tokens = Arc::new(JobTokens::new(clock));
    let own = match &store {
        None => None,
        Some((store, _lock)) => {
            let issuer = OwnIssuer {
                url: addresses.issuer()?,
                algorithm: options.identity.algorithm,
            };
            store.begin_serving(&serving_host(
                options,
                &addresses,
                (&issuer.url, component_access.as_ref()),
            ))?;
            let (mut own, keeper) = OwnIdentity::new(
                issuer,
                Arc::clone(store),
                Arc::clone(&board),
                Arc::clone(&tokens),
            );
            own.refresh()?;
            Some((own, keeper))
        }
    };
    let shares = Arc::new(MemoryShares::new(options));
    let root = match (&options.component, &component_access) {
        (Some(component), Some(access)) => Some(RootComponent::new(
            component.clone(),
            shares.of(&component.name),
            access::component_access(access.members(), &addresses.public_urls),
            sandbox.clone(),
            Arc::clone(&catalog),
        )),
        _ => None,
    };
    if let Some(root) = &root {
        control.block_on(root.load())?;
    }
    let loader = Loader {
        sandbox: sandbox.clone(),
        shares,
        request_idle: options.host.body_timeout,
        public_urls: addresses.public_urls.clone(),
        taken: options
            .component
            .as_ref()
            .map(|component| component.name.clone()),
    };
    let mut declared = None;
    let mut registry = None;
    if let (Some((store, _lock)), true) = (&store, options.functions.is_some()) {
        declared = {
            let _runtime = control.enter();
            declare(options, store, &loader, &board)?
        };
        refuse_taken_name(options, store)?;
        let (catalog, readiness) = (Arc::clone(&catalog), Arc::clone(&readiness));
        let mut following = Registry::new(Arc::clone(store), loader, catalog, readiness);
        following.refresh()?;
        registry = Some(following);
    }
    let mut name = catalog.longest_name();
    if registry.is_some() {
        // Functions that are deployed later should stand in the same column.
        name = format!("{name:STORE_NAME_WIDTH$}");
    }
    let others = Destinations {
        segments,
        flush_interval: options
            .kept_log
            .as_ref()
            .map_or(FLUSH_INTERVAL, |log| log.flush_interval),
        collector: options.collector.clone(),
        on_fault: Some(watched::note_fault(&readiness)),
    };
    let (log, writer) = LogWriter::stdout(options.host.log_format, &name, others)?;
    let parts = Parts {
        options,
        store: store.as_ref().map(|(store, _lock)| store),
        own: OwnListener {
            addr,
            certificate: certificate.as_ref().map(tls::shown),
        },
        tokens,
        log: &log,
        readiness: &readiness,
    };
    let schedulers = parts.schedulers()?;
    let tls = certificate
        .clone()
        .map(tls::server_config)
        .transpose()?
        .map(TlsAcceptor::from);
    if declared.is_none() {
        let _runtime = control.enter();
        board.set_outside(&options.identity.issuers)?;
    }
    ending.wait_for_work();
    let (handle, drain) = DrainHandle::new();
    let workers = Workers {
        options,
        routes,
        board: Arc::clone(&board),
        clock,
        tls,
        log: log.clone(),
        drain: drain.clone(),
        readiness: Arc::clone(&readiness),
        connections: connections(options)?,
    };
    let workers = workers.start(sockets)?;
    announce(
        options,
        component_access.as_ref(),
        &addresses.url,
        &catalog,
        admin_addr,
    );
    let host = Arc::clone(&readiness);
    let compiling = sandbox.clone();
    let subject = ControlPlane {
        catalog,
        readiness,
        board,
        sandbox,
        jobs: schedulers.iter().map(Scheduler::handle).collect(),
        log: log.clone(),
        drain: drain.clone(),
        started: SystemTime::now(),
    };
    let console = {
        let _runtime = control.enter();
        console::serve(admin, Names::new(&options.host.admin_hosts), subject)?
    };
    control.block_on(async {
        if let Some(certificate) = certificate {
            watched::spawn(&host, "certificate", tls::watch(certificate));
        }
        if let Some(registry) = registry {
            let following = registry::follow(registry, function_hangups, drain.clone());
            watched::spawn(&host, "functions", following);
        }
        if let Some((own, keeper)) = own {
            let following = own_identity::follow(own, keeper, Arc::clone(&host));
            watched::spawn(&host, "tokens", following);
        }
        let files = Files { root, declared };
        let following = reload::follow(files, options.watch, file_hangups, drain.clone());
        watched::spawn(&host, "files", following);
        let (gone, _) = watch::channel(false);
        let jobs: Vec<_> = schedulers
            .into_iter()
            .map(|scheduler| scheduler.run(drain.watch(), gone.subscribe()))
            .map(|jobs| watched::spawn(&host, "scheduler", jobs))
            .collect();
        watched::spawn(&host, "control plane", console);
        watched::spawn(&host, "watchdog", service_manager::keep_alive());
        service_manager::ready();
        ending.asked().await;
        service_manager::stopping();
        tracing::info!("Draining: running executions finish, no new ones start. Press Ctrl-C again to end at once.");
        // What is loaded by now is all that will be served.
        compiling.stop_compiling();
        handle.begin();
        start::ended(workers, jobs, gone).await;
    });
    drop(log);
    writer.close(LOG_CLOSE);
    Ok(())
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

/// Connections at once: those that there are descriptors for.
fn connections(options: &ServeOptions) -> Result<usize, ServeError> {
    let connections = descriptors::connections(options.host.max_connections, options.workers)?;
    if connections < options.host.max_connections {
        tracing::warn!(
            "{connections} connections at once, not {}: no more files may be open; raise that limit (`ulimit -n`), or \
             take fewer --max-connections",
            options.host.max_connections
        );
    }
    Ok(connections)
}

fn listen(addr: SocketAddr, error: std::io::Error, flag: &'static str) -> ServeError {
    ServeError::Listen { addr, error, flag }
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
    Ok(Some((Arc::new(store), lock)))
}

/// Has the store know what the configuration file declares; without a file, that nothing is declared.
fn declare(
    options: &ServeOptions,
    store: &Arc<Store>,
    loader: &Loader,
    board: &Arc<TrustBoard>,
) -> Result<Option<DeclaredFunctions>, ServeError> {
    let Some(path) = &options.config else {
        store.declare("", &[])?;
        scheduler::declare(store, "", &[], Timestamp::now())?;
        return Ok(None);
    };
    let (store, loader) = (Arc::clone(store), loader.clone());
    let issuers = DeclaredIssuers {
        board: Arc::clone(board),
        others: options.identity.issuers.clone(),
    };
    let mut declared = DeclaredFunctions::new(path.clone(), store, loader, issuers);
    declared.apply()?;
    Ok(Some(declared))
}

/// Refuses a component that goes by the name of a function that is served beside it.
fn refuse_taken_name(options: &ServeOptions, store: &Store) -> Result<(), ServeError> {
    let Some(component) = &options.component else {
        return Ok(());
    };
    let functions = store.functions()?;
    let is_taken = functions
        .iter()
        .any(|function| function.name.as_str() == component.name);
    match is_taken {
        true => Err(ServeError::NameTaken(component.name.clone())),
        false => Ok(()),
    }
}

fn queue(options: &ServeOptions) -> Queue {
    Queue {
        length: options.host.queue_length,
        time: options.host.queue_time,
    }
}

/// What one worker serves before any function is there: nothing.
fn worker_routes(options: &ServeOptions) -> WorkerRoutes {
    WorkerRoutes {
        table: Arc::new(Published::default()),
        places: Arc::new(Semaphore::new(shares::places(options))),
    }
}
