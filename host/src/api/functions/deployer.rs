//! Carries out operations on functions, a few at once, in the order in which they were begun.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;

use super::notes::Description;
use super::settle::PATIENCE;
use crate::api::{Api, Code, Status};
use crate::settings::FunctionSettings;
use crate::store::{
    FunctionName, NewOperation, OperationRecord, Project, Store, StoreError, UploadId,
};

/// How many operations are carried out at once: each may compile a component.
const AT_ONCE: usize = 2;
/// How many may wait.
const MOST_WAITING: usize = 16;
/// How many requests wait for functions that are being created: each keeps a thread of the control plane.
const MOST_WAITERS: usize = 4;
/// How long a request waits for its operation to be done, so that a quick one is done in the first answer.
const QUICK: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(20);

/// Makes an instance of a component that goes by this name, as it would be served with these settings; says why it cannot be
/// served, in one line, if it cannot.
pub(crate) type TryComponent =
    Box<dyn Fn(&str, Bytes, &FunctionSettings) -> Result<(), String> + Send + Sync>;

/// Makes of what a function is what it is to be.
pub(super) type Change = Box<dyn Fn(&Description) -> Result<Description, Status> + Send>;

/// A deployment that is to be made.
pub(super) struct Deployment {
    /// The upload that has its component; that which the function has, if it is none.
    pub(super) source: Option<UploadId>,
    /// What it is to be.
    pub(super) change: Change,
}

/// What an operation does.
pub(super) enum Task {
    /// Deploys a function.
    Deploy(Deployment),
    /// Removes it.
    Delete,
}

/// An operation that is to be carried out.
struct Job {
    operation: OperationRecord,
    name: FunctionName,
    task: Task,
    /// Told when it has ended.
    ended: Sender<()>,
}

/// Carries out operations.
pub(crate) struct Deployer {
    pub(super) store: Arc<Store>,
    pub(super) project: Project,
    pub(super) try_component: TryComponent,
    queue: Mutex<Queue>,
    /// The requests that wait for functions that are being created.
    waiters: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    threads: usize,
    waiting: VecDeque<Job>,
    /// Those that an operation is to change, or does.
    functions: BTreeSet<FunctionName>,
}

impl Deployer {
    /// Carries out operations on the functions of `store`, whose components have to pass `try_component`.
    pub(crate) fn new(store: Arc<Store>, project: Project, try_component: TryComponent) -> Self {
        Self {
            store,
            project,
            try_component,
            queue: Mutex::default(),
            waiters: AtomicUsize::new(0),
        }
    }

    /// Begins `operation` on the function `name`, and answers what has become of it by now. Waits a short time for it.
    ///
    /// # Errors
    /// If one on that function is not done, too many wait, or the store fails.
    pub(super) fn begin(
        self: &Arc<Self>,
        operation: NewOperation,
        name: &FunctionName,
        task: Task,
    ) -> Result<OperationRecord, Status> {
        let (ended, has_ended) = mpsc::channel();
        let operation = {
            let mut queue = self.queue();
            queue.check_room(name)?;
            if queue.threads < AT_ONCE {
                // It waits for the lock, and finds the job.
                self.start_thread()?;
                queue.threads += 1;
            }
            let operation = self.store.begin_operation(operation, Timestamp::now())?;
            queue.functions.insert(name.clone());
            queue.waiting.push_back(Job {
                operation: operation.clone(),
                name: name.clone(),
                task,
                ended,
            });
            operation
        };
        // Whether it has ended is in the store.
        let _ = has_ended.recv_timeout(QUICK);
        Ok(self.store.operation(&operation.id)?)
    }

    fn start_thread(self: &Arc<Self>) -> Result<(), Status> {
        let this = Arc::clone(self);
        let started = thread::Builder::new()
            .name("deployer".into())
            .spawn(move || this.work());
        started.map(drop).map_err(|error| {
            let message = format!("the host can start no thread ({error}); try again later");
            Status::new(Code::Unavailable, message)
        })
    }

    /// Carries out what waits, until nothing does.
    fn work(&self) {
        while let Some(job) = self.next() {
            // A panic must keep neither the thread's place nor the function's name.
            let result = panic::catch_unwind(AssertUnwindSafe(|| {
                self.carry_out(&job.operation, &job.name, &job.task)
            }));
            let result = result.unwrap_or_else(|_| {
                tracing::error!("the operation {} panicked", job.operation.id);
                let message = "the host has failed at the operation; the host's own log says where";
                Err(Status::new(Code::Internal, message))
            });
            // Before it is told as done: whoever waits for that may begin the next one.
            self.queue().functions.remove(&job.name);
            self.end(&job.operation, result);
            // Nobody may be waiting.
            let _ = job.ended.send(());
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        let next = queue.waiting.pop_front();
        if next.is_none() {
            queue.threads -= 1;
        }
        next
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn check_room(&self, name: &FunctionName) -> Result<(), Status> {
        if self.functions.contains(name) {
            let message = format!(
                "an operation on the function `{name}` is in progress; wait until it is done, and try again"
            );
            return Err(Status::new(Code::Aborted, message));
        }
        if self.functions.len() >= AT_ONCE + MOST_WAITING {
            let message = format!(
                "{MOST_WAITING} operations on functions wait already, which is the limit; try again later"
            );
            return Err(Status::new(Code::ResourceExhausted, message));
        }
        Ok(())
    }
}

impl Api {
    /// Waits until the function `name` is there, if an operation is to create it. Without one it does not wait. For those who
    /// set the policy of a function that is being created, as gcloud does.
    ///
    /// # Errors
    /// If too many wait already.
    pub(crate) fn await_creation(&self, name: &FunctionName) -> Result<(), Status> {
        let deployer = self.deployer();
        let is_coming = || {
            let found = self.store().function(name);
            matches!(found, Err(StoreError::NoFunction { .. }))
                && deployer.queue().functions.contains(name)
        };
        if !is_coming() {
            return Ok(());
        }
        let waiting = deployer.waiters.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        while waiting < MOST_WAITERS && is_coming() && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK);
        }
        deployer.waiters.fetch_sub(1, Ordering::Relaxed);
        match waiting < MOST_WAITERS {
            true => Ok(()),
            false => {
                let message = format!(
                    "the function `{name}` is being created, and {MOST_WAITERS} requests wait for such functions, which is the \
                     limit; try again when its operation is done"
                );
                Err(Status::new(Code::ResourceExhausted, message))
            }
        }
    }
}
