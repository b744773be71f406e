//! The second step of a start: the parts of the process, made of what it has taken.

use std::sync::Arc;

use host_tokens::KeyRefresh;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::jobs::SchedulerParts;
use super::opened::Opened;
use super::serving::serving_host;
use crate::identity::OwnIssuer;
use crate::identity::access;
use crate::logs::{Destinations, FLUSH_INTERVAL, LogQueue, LogWriter};
use crate::scheduler::{self, OwnListener, Scheduler};
use crate::serve::error::ServeError;
use crate::serve::functions::admission::Queue;
use crate::serve::functions::catalog::{Catalog, WorkerRoutes};
use crate::serve::functions::component::RootComponent;
use crate::serve::functions::declared::{DeclaredFunctions, DeclaredIssuers};
use crate::serve::functions::load::Loader;
use crate::serve::functions::registry::Registry;
use crate::serve::functions::shares::{self, MemoryShares};
use crate::serve::keyvalue::KeyValues;
use crate::serve::listener::tls;
use crate::serve::options::ServeOptions;
use crate::serve::published::Published;
use crate::serve::readiness::Readiness;
use crate::serve::trust::board::TrustBoard;
use crate::serve::trust::job_tokens::JobTokens;
use crate::serve::trust::own_identity::OwnIdentity;
use crate::serve::watched;
use crate::store::{BucketName, Store};

/// How many characters the log's table gives names of functions that are not known yet.
const STORE_NAME_WIDTH: usize = 16;

/// The parts of a process, before any of them works.
pub(in crate::serve) struct Assembled {
    /// One for each worker.
    pub(in crate::serve) routes: Vec<WorkerRoutes>,
    pub(in crate::serve) catalog: Arc<Catalog>,
    pub(in crate::serve) readiness: Arc<Readiness>,
    pub(in crate::serve) board: Arc<TrustBoard>,
    /// The host's own issuer, and when its keys are made anew.
    pub(in crate::serve) own: Option<(OwnIdentity, KeyRefresh)>,
    pub(in crate::serve) root: Option<RootComponent>,
    pub(in crate::serve) declared: Option<DeclaredFunctions>,
    pub(in crate::serve) registry: Option<Registry>,
    pub(in crate::serve) log: LogQueue,
    pub(in crate::serve) log_writer: LogWriter,
    pub(in crate::serve) schedulers: Vec<Scheduler>,
}

impl Assembled {
    /// Makes the parts, and loads all functions.
    ///
    /// # Errors
    /// What cannot be served, and what to do.
    pub(in crate::serve) fn assemble(
        options: &ServeOptions,
        opened: &mut Opened,
    ) -> Result<Self, ServeError> {
        let routes: Vec<_> = (0..options.workers)
            .map(|_| worker_routes(options))
            .collect();
        let most_permits = shares::permits_of_one(options);
        let catalog = Arc::new(Catalog::new(routes.clone(), most_permits, queue(options)));
        let readiness = Arc::new(Readiness::default());
        let board = Arc::new(TrustBoard::new(options.workers));
        let tokens = Arc::new(JobTokens::new(opened.clock));
        let own = own_identity(options, opened, &board, &tokens)?;
        let shares = Arc::new(MemoryShares::new(options));
        let keyvalue = KeyValues::new(
            opened.store().cloned(),
            options.keyvalue.clone(),
            Arc::clone(&readiness),
        );
        let keyvalue = Arc::new(keyvalue);
        let root = root(options, opened, &shares, &keyvalue, &catalog);
        if let Some(root) = &root {
            opened.control.block_on(root.load())?;
        }
        let loader = loader(options, opened, shares, keyvalue);
        let (mut declared, mut registry) = (None, None);
        if let (Some(store), true) = (opened.store(), options.functions.is_some()) {
            declared = {
                let _runtime = opened.control.enter();
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
        let destinations = destinations(options, opened, &readiness);
        let (log, log_writer) = LogWriter::stdout(options.host.log_format, &name, destinations)?;
        let schedulers = SchedulerParts {
            options,
            store: opened.store(),
            own: OwnListener {
                addr: opened.addr,
                certificate: opened.certificate.as_ref().map(tls::shown),
                google_name: opened.addresses.google_name.clone(),
            },
            tokens,
            log: &log,
            readiness: &readiness,
        };
        let schedulers = schedulers.schedulers()?;
        if declared.is_none() {
            let _runtime = opened.control.enter();
            board.set_outside(&options.identity.issuers)?;
        }
        Ok(Self {
            routes,
            catalog,
            readiness,
            board,
            own,
            root,
            declared,
            registry,
            log,
            log_writer,
            schedulers,
        })
    }
}

/// The host's own issuer, if there is a store that has its keys. The store hears how the host serves.
fn own_identity(
    options: &ServeOptions,
    opened: &Opened,
    board: &Arc<TrustBoard>,
    tokens: &Arc<JobTokens>,
) -> Result<Option<(OwnIdentity, KeyRefresh)>, ServeError> {
    let Some(store) = opened.store() else {
        return Ok(None);
    };
    let issuer = OwnIssuer {
        url: opened.addresses.issuer()?,
        algorithm: options.identity.algorithm,
    };
    store.begin_serving(&serving_host(
        options,
        &opened.addresses,
        &issuer.url,
        opened.access.as_ref(),
    ))?;
    let (mut own, refresh) = OwnIdentity::new(
        issuer,
        Arc::clone(store),
        Arc::clone(board),
        Arc::clone(tokens),
    );
    own.refresh()?;
    Ok(Some((own, refresh)))
}

/// The component of the command line, if there is one.
fn root(
    options: &ServeOptions,
    opened: &Opened,
    shares: &Arc<MemoryShares>,
    keyvalue: &Arc<KeyValues>,
    catalog: &Arc<Catalog>,
) -> Option<RootComponent> {
    let mut component = options.component.clone()?;
    let access = opened.access.as_ref()?;
    let own = BucketName::Component(component.name.clone());
    component.function.keyvalue = Some(keyvalue.of(own, component.buckets.clone()));
    let share = shares.of(&component.name);
    Some(RootComponent::new(
        component,
        share,
        access::component_access(access.members(), &opened.addresses.public_urls),
        opened.sandbox.clone(),
        Arc::clone(catalog),
    ))
}

fn loader(
    options: &ServeOptions,
    opened: &Opened,
    shares: Arc<MemoryShares>,
    keyvalue: Arc<KeyValues>,
) -> Loader {
    let component = options.component.as_ref();
    Loader {
        sandbox: opened.sandbox.clone(),
        shares,
        keyvalue,
        request_idle: options.host.body_timeout,
        public_urls: opened.addresses.public_urls.clone(),
        taken: component.map(|component| component.name.clone()),
    }
}

/// Where log entries go beside stdout.
fn destinations(
    options: &ServeOptions,
    opened: &mut Opened,
    readiness: &Arc<Readiness>,
) -> Destinations {
    let kept = options.kept_log.as_ref();
    Destinations {
        segments: opened.segments.take(),
        flush_interval: kept.map_or(FLUSH_INTERVAL, |log| log.flush_interval),
        collector: options.collector.clone(),
        on_fault: Some(watched::note_fault(readiness)),
    }
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
        permits: Arc::new(Semaphore::new(shares::permits(options))),
    }
}
