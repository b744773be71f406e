//! The functions that are served, and the routes of every worker that are made of them.
//!
//! A function that takes another one's place leaves that one to the requests that have it already. It takes over its
//! counts, and its permits as long as their number is the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::Semaphore;

use super::admission::{Admission, Queue};
use super::counters::Totals;
use super::routes::{Route, Routes};
use crate::identity::access::Access;
use crate::serve::published::Published;
use crate::store::FunctionName;
use host_sandbox::{Function, WarmUsage};

/// A function, and how it is served.
#[derive(Clone)]
pub(in crate::serve) struct Served {
    pub(in crate::serve) function: Function,
    /// Its name in log entries.
    pub(in crate::serve) name: Arc<str>,
    pub(in crate::serve) access: Access,
    pub(in crate::serve) permits: Permits,
    /// Host names that lead to it, in lower case.
    pub(in crate::serve) hosts: Vec<String>,
}

/// `/NAME`. One of the command line may go by a name that no path has; nor does it need one.
fn path(name: &str) -> HeaderValue {
    HeaderValue::try_from(format!("/{name}")).unwrap_or_else(|_| HeaderValue::from_static("/"))
}

/// How many executions of a function there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Permits {
    /// On each worker.
    concurrency: usize,
    /// In all.
    instances: Option<usize>,
}

/// More than any host has executions; a semaphore panics where it is given too many permits, and a store may hold any
/// number.
const MOST_PLACES: usize = 1 << 20;

impl Permits {
    /// So many on each worker, and in all.
    pub(in crate::serve) fn new(concurrency: usize, instances: Option<usize>) -> Self {
        Self {
            concurrency: concurrency.min(MOST_PLACES),
            instances: instances.map(|instances| instances.min(MOST_PLACES)),
        }
    }

    /// No more than `most` of them on each worker.
    fn within(self, most: usize) -> Self {
        Self {
            concurrency: self.concurrency.min(most),
            ..self
        }
    }
}

/// What a worker and the catalog have in common.
#[derive(Clone)]
pub(in crate::serve) struct WorkerRoutes {
    pub(in crate::serve) table: Arc<Published<Routes>>,
    /// Executions of all functions at once on this worker.
    pub(in crate::serve) permits: Arc<Semaphore>,
}

/// What can be told of one function.
#[derive(Debug)]
pub(in crate::serve) struct Account {
    pub(in crate::serve) name: Arc<str>,
    pub(in crate::serve) totals: Totals,
    /// Executions at once, at most.
    pub(in crate::serve) instances: usize,
    /// Requests that wait for an instance.
    pub(in crate::serve) waiting: usize,
    /// Its warm instances, if it keeps any.
    pub(in crate::serve) warm: Option<WarmUsage>,
}

/// All functions that are served. Changes are taken up by the workers with their next request.
pub(in crate::serve) struct Catalog {
    workers: Vec<WorkerRoutes>,
    /// The permits that one function may have of each worker's.
    most_permits: usize,
    queue: Queue,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    root: Option<Entry>,
    named: BTreeMap<FunctionName, Entry>,
}

struct Entry {
    hosts: Vec<String>,
    permits: Permits,
    /// One for each worker.
    routes: Vec<Arc<Route>>,
}

impl Catalog {
    /// For functions that may have `most_permits` of those on each worker.
    pub(in crate::serve) fn new(
        workers: Vec<WorkerRoutes>,
        most_permits: usize,
        queue: Queue,
    ) -> Self {
        Self {
            workers,
            most_permits,
            queue,
            entries: Mutex::default(),
        }
    }

    /// Serves `served` on every path that no other function has.
    pub(in crate::serve) fn set_root(&self, served: Served) {
        let mut entries = self.lock();
        let root = self.entry(served, entries.root.as_ref());
        entries.root = Some(root);
        self.publish(&entries);
    }

    /// Serves `changed` below their names, and of the others those that `is_kept`.
    pub(in crate::serve) fn change(
        &self,
        changed: Vec<(FunctionName, Served)>,
        is_kept: impl Fn(&FunctionName) -> bool,
    ) {
        let mut entries = self.lock();
        entries.named.retain(|name, _| is_kept(name));
        for (name, served) in changed {
            let entry = self.entry(served, entries.named.get(&name));
            entries.named.insert(name, entry);
        }
        self.publish(&entries);
    }

    /// Lets in whom `access` says, of functions that go on as they are otherwise.
    pub(in crate::serve) fn change_access(&self, changed: Vec<(FunctionName, Access)>) {
        let mut entries = self.lock();
        for (name, access) in changed {
            let Some(entry) = entries.named.get_mut(&name) else {
                continue;
            };
            for route in &mut entry.routes {
                *route = Arc::new(Route {
                    function: route.function.clone(),
                    name: Arc::clone(&route.name),
                    path: route.path.clone(),
                    access: access.clone(),
                    admission: Arc::clone(&route.admission),
                    counters: Arc::clone(&route.counters),
                });
            }
        }
        self.publish(&entries);
    }

    /// How many functions are served below a name.
    pub(in crate::serve) fn len(&self) -> usize {
        self.lock().named.len()
    }

    /// The longest name of a function.
    pub(in crate::serve) fn longest_name(&self) -> String {
        let entries = self.lock();
        let names = entries.all().map(|entry| &*entry.routes[0].name);
        names
            .max_by_key(|name| name.len())
            .unwrap_or_default()
            .to_owned()
    }

    /// What has been counted, function by function.
    pub(in crate::serve) fn accounts(&self) -> Vec<Account> {
        self.lock().all().map(Entry::account).collect()
    }

    fn entry(&self, served: Served, before: Option<&Entry>) -> Entry {
        let permits = served.permits.within(self.most_permits);
        let has_same_permits = before.is_some_and(|entry| entry.permits == permits);
        let instances = permits.instances;
        let instances = instances.map(|number| Arc::new(Semaphore::new(number)));
        let route = |(index, worker): (usize, &WorkerRoutes)| {
            let before = before.map(|entry| &entry.routes[index]);
            let admission = match before {
                Some(route) if has_same_permits => Arc::clone(&route.admission),
                _ => Arc::new(Admission::new(
                    permits.concurrency,
                    Arc::clone(&worker.permits),
                    instances.clone(),
                    self.queue,
                )),
            };
            Arc::new(Route {
                function: served.function.clone(),
                // Each worker counts references of its own: every entry of its log has one.
                name: Arc::from(&*served.name),
                path: path(&served.name),
                access: served.access.clone(),
                admission,
                counters: before.map_or_else(Arc::default, |route| Arc::clone(&route.counters)),
            })
        };
        Entry {
            routes: self.workers.iter().enumerate().map(route).collect(),
            hosts: served.hosts,
            permits,
        }
    }

    fn publish(&self, entries: &Entries) {
        let wall_times = entries.all().map(Entry::wall_time);
        let longest = wall_times.max().unwrap_or_default();
        for (index, worker) in self.workers.iter().enumerate() {
            let route = |entry: &Entry| Arc::clone(&entry.routes[index]);
            let named = entries.named.iter();
            let mut routes = Routes {
                root: entries.root.as_ref().map(route),
                by_name: named
                    .map(|(name, entry)| (name.as_str().to_owned(), route(entry)))
                    .collect(),
                longest_wall_time: longest.max(worker.table.current().longest_wall_time),
                ..Routes::default()
            };
            for entry in entries.named.values() {
                for host in &entry.hosts {
                    routes.by_host.insert(host.clone(), route(entry));
                }
            }
            worker.table.replace(Arc::new(routes));
        }
    }

    /// Only the control plane comes here.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.root.iter().chain(self.named.values())
    }
}

impl Entry {
    fn wall_time(&self) -> Duration {
        self.routes[0].function.limits().wall_time
    }

    fn account(&self) -> Account {
        let mut totals = Totals::default();
        for route in &self.routes {
            route.counters.add_to(&mut totals);
        }
        let on_workers = self.permits.concurrency * self.routes.len();
        Account {
            name: Arc::clone(&self.routes[0].name),
            totals,
            instances: self
                .permits
                .instances
                .map_or(on_workers, |all| all.min(on_workers)),
            waiting: self
                .routes
                .iter()
                .map(|route| route.admission.waiting())
                .sum(),
            warm: self.routes[0].function.warm_usage(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_that_a_store_holds_is_one_of_places() {
        let permits = Permits::new(usize::MAX, Some(usize::MAX));
        let all = [permits.concurrency, permits.instances.unwrap()];
        assert!(all.iter().all(|&permits| permits <= Semaphore::MAX_PERMITS));
        assert_eq!(Permits::new(80, None).concurrency, 80);
        assert_eq!(Permits::new(80, None).within(46), Permits::new(46, None));
        assert_eq!(Permits::new(10, None).within(46), Permits::new(10, None));
    }
}
