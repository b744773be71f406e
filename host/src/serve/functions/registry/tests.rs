use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;
use crate::serve::drain::DrainHandle;
use crate::serve::functions::admission::Queue;
use crate::serve::functions::catalog::WorkerRoutes;
use crate::serve::keyvalue::KeyValues;
use crate::signals::Hangups;
use host_sandbox::{Sandbox, SandboxConfig};

/// A registry of a store in a directory of its own.
struct Scratch {
    directory: TempDir,
    store: Arc<Store>,
    registry: Registry,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        let registry = Self::registry(&store);
        Self {
            directory,
            store,
            registry,
        }
    }

    fn registry(store: &Arc<Store>) -> Registry {
        let sandbox = Sandbox::new(SandboxConfig::default().executions(1));
        let loader = Loader {
            shares: Arc::default(),
            keyvalue: Arc::new(KeyValues::new(None, None, Arc::default())),
            sandbox: sandbox.unwrap(),
            request_idle: Duration::from_secs(1),
            public_urls: Vec::new(),
            taken: Some("root".into()),
        };
        let worker = WorkerRoutes {
            table: Arc::default(),
            permits: Arc::new(Semaphore::new(1)),
        };
        let queue = Queue {
            length: 0,
            time: Duration::ZERO,
        };
        let catalog = Arc::new(Catalog::new(vec![worker], usize::MAX, queue));
        Registry::new(Arc::clone(store), loader, catalog, Arc::default())
    }

    /// Deploys what is no component.
    fn deploy(&self, function: &str, wasm: &[u8]) -> FunctionRecord {
        self.store.deploy(&name(function), Some(wasm), Ok).unwrap()
    }

    fn told(&self, function: &str) -> Option<ServedFunction> {
        self.store.served(&name(function)).unwrap()
    }

    /// The database, as another program would open it.
    fn execute(&self, sql: &str) {
        let database = Connection::open(self.directory.path().join("host.db")).unwrap();
        database.execute_batch(sql).unwrap();
    }
}

fn name(text: &str) -> FunctionName {
    text.parse().unwrap()
}

#[test]
fn what_the_store_could_not_be_told_it_is_told_later() {
    let mut scratch = Scratch::new();
    let record = scratch.deploy("f", b"one");
    scratch.execute("ALTER TABLE served_functions RENAME TO away");
    scratch.registry.refresh().unwrap_err();
    scratch.execute("ALTER TABLE away RENAME TO served_functions");
    scratch.registry.look().unwrap();
    let told = scratch.told("f").unwrap();
    assert_eq!(told.updated, record.updated);
}

#[tokio::test]
async fn who_follows_the_store_loads_and_tells_what_another_program_deploys() {
    let scratch = Scratch::new();
    let (_handle, drain) = DrainHandle::new();
    let registry = Scratch::registry(&scratch.store);
    tokio::spawn(follow(registry, Hangups::listen().unwrap(), drain));
    let other = Arc::new(Store::open(scratch.directory.path()).unwrap());
    for store in [&scratch.store, &other] {
        tokio::spawn(crate::store::watch(Arc::clone(store)));
    }
    let mut told = other.changes();
    for function in ["f", "g"] {
        let record = other.deploy(&name(function), Some(b"one"), Ok).unwrap();
        while scratch
            .told(function)
            .is_none_or(|told| told.updated != record.updated)
        {
            told.changed().await.unwrap();
        }
    }
}

#[test]
fn a_deployment_that_another_one_follows_while_it_is_loaded_is_no_failure() {
    let mut scratch = Scratch::new();
    scratch.deploy("f", b"one");
    scratch.registry.look().unwrap();
    let batch = scratch.registry.due(Instant::now()).unwrap();
    let second = scratch.deploy("f", b"two");
    let loaded = batch.load();
    assert_eq!(loaded[0].updated, second.updated);
    scratch.registry.take_up(loaded);
    scratch.registry.tell().unwrap();
    let told = scratch.told("f").unwrap();
    assert_eq!(told.updated, second.updated);
    let problem = told.problem.unwrap();
    assert!(!problem.contains("is gone"), "{problem}");
}

#[test]
fn what_could_not_be_loaded_is_due_after_a_pause_or_when_it_is_asked_for() {
    let mut scratch = Scratch::new();
    scratch.deploy("f", b"one");
    let now = Instant::now();
    scratch.registry.refresh().unwrap();
    let is_due = |registry: &Registry, at| registry.due(at).is_some();
    assert!(!is_due(&scratch.registry, now));
    assert!(is_due(&scratch.registry, now + Duration::from_secs(60)));
    scratch.registry.load_again();
    assert!(is_due(&scratch.registry, now));
}

#[test]
fn what_was_read_before_it_was_to_be_read_again_is_read_again() {
    let mut scratch = Scratch::new();
    scratch.deploy("f", b"one");
    scratch.registry.look().unwrap();
    let loaded = scratch.registry.due(Instant::now()).unwrap().load();
    scratch.registry.load_again();
    scratch.registry.take_up(loaded);
    assert!(scratch.registry.due(Instant::now()).is_some());
}

#[test]
fn the_store_hears_that_a_deleted_function_is_served_no_longer() {
    let mut scratch = Scratch::new();
    scratch.deploy("f", b"one");
    scratch.registry.refresh().unwrap();
    assert!(scratch.told("f").is_some());
    assert_eq!(scratch.registry.readiness.problems().len(), 1);
    scratch.store.delete(&name("f")).unwrap();
    scratch.registry.look().unwrap();
    assert_eq!(scratch.told("f"), None);
    assert!(scratch.registry.readiness.problems().is_empty());
}

#[test]
fn no_function_goes_by_the_name_of_the_component_beside_it() {
    let mut scratch = Scratch::new();
    scratch.deploy("root", b"one");
    scratch.registry.refresh().unwrap();
    let problem = scratch.told("root").and_then(|told| told.problem).unwrap();
    assert!(problem.contains("--name"), "{problem}");
}
