//! Starts the workers, and waits for their end.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use host_tokens::SteadyClock;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::authenticate::Authenticator;
use super::catalog::WorkerRoutes;
use super::connection::Bounds;
use super::drain::{Drain, Pending};
use super::error::ServeError;
use super::invoke::Invoker;
use super::loads::Loads;
use super::options::ServeOptions;
use super::readiness::Readiness;
use super::refusals::Refusals;
use super::trust_board::TrustBoard;
use super::watched;
use super::worker::{TurnedAway, Worker};
use crate::logs::LogQueue;
use host_sandbox::execution::RunQueue;

/// The name of log entries that are of no function.
const NO_FUNCTION: &str = "host";

/// What all workers have in common.
pub(super) struct Workers<'a> {
    pub(super) options: &'a ServeOptions,
    /// One for each worker.
    pub(super) routes: Vec<WorkerRoutes>,
    pub(super) board: Arc<TrustBoard>,
    pub(super) clock: SteadyClock,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) log: LogQueue,
    pub(super) drain: Drain,
    pub(super) readiness: Arc<Readiness>,
    /// Connections at once.
    pub(super) connections: usize,
}

impl Workers<'_> {
    /// Starts a worker for each of `sockets`; one without a socket gets its connections from the others.
    pub(super) fn start(
        self,
        sockets: Vec<Option<TcpListener>>,
    ) -> Result<Vec<JoinHandle<()>>, ServeError> {
        let options = self.options;
        let loads = Loads::new(options.workers, self.connections);
        let no_function: Arc<str> = NO_FUNCTION.into();
        let (senders, inboxes): (Vec<_>, Vec<_>) =
            sockets.iter().map(|_| mpsc::unbounded_channel()).unzip();
        let (begun, begins) = std::sync::mpsc::channel();
        let workers = sockets.into_iter().zip(inboxes).zip(&self.routes);
        let workers: Vec<_> = workers
            .enumerate()
            .map(|(index, ((listener, inbox), routes))| {
                let pending = Arc::new(Pending::default());
                let invoker = self.invoker(index, routes, &no_function, &pending);
                let worker = Worker {
                    index,
                    listener,
                    inbox,
                    others: senders.clone(),
                    loads: Arc::clone(&loads),
                    invoker: Arc::new(invoker),
                    pending,
                    bounds: Bounds {
                        header_timeout: options.host.header_timeout,
                        stall_timeout: options.host.stall_timeout,
                        streams: options.host.max_streams,
                    },
                    tls: self.tls.clone(),
                    drain: self.drain.clone(),
                    turned_away: TurnedAway::default(),
                };
                start(worker, begun.clone(), Arc::clone(&self.readiness))
            })
            .collect::<Result<_, _>>()?;
        // Whoever connects is dealt to any of them, so there is no start with fewer.
        drop(begun);
        for _ in &workers {
            let begun = begins.recv();
            begun
                .unwrap_or_else(|_| Err(io::Error::other("its thread has ended")))
                .map_err(ServeError::Worker)?;
        }
        Ok(workers)
    }

    fn invoker(
        &self,
        index: usize,
        routes: &WorkerRoutes,
        no_function: &Arc<str>,
        pending: &Arc<Pending>,
    ) -> Invoker {
        let (trust, counters) = self.board.of_worker(index);
        Invoker {
            routes: Arc::clone(&routes.table),
            no_function: Arc::clone(no_function),
            places: Arc::clone(&routes.places),
            authenticator: Authenticator::new(trust, counters, self.clock),
            turns: RunQueue::new(),
            log: self.log.clone(),
            refusals: Refusals::new(self.log.clone(), self.options.workers),
            pending: Arc::clone(pending),
            proxies: self.options.host.trusted_proxies.clone().into(),
            scheme: match self.tls {
                Some(_) => http::uri::Scheme::HTTPS,
                None => http::uri::Scheme::HTTP,
            },
        }
    }
}

fn start(
    worker: Worker,
    begun: Sender<io::Result<()>>,
    readiness: Arc<Readiness>,
) -> Result<JoinHandle<()>, ServeError> {
    let index = worker.index;
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            watched::run(&readiness, &format!("worker {index}"), || worker.run(begun));
        })
        .map_err(ServeError::Worker)
}

/// Resolves when all workers and schedulers have ended. The schedulers hear by `gone` that the workers have.
pub(super) async fn ended(
    workers: Vec<JoinHandle<()>>,
    schedulers: Vec<tokio::task::JoinHandle<()>>,
    gone: watch::Sender<bool>,
) {
    let joined = tokio::task::spawn_blocking(move || {
        for worker in workers {
            // A worker that panicked has told so on stderr.
            let _ = worker.join();
        }
    });
    // Nor is there more to do for threads that cannot be joined.
    let _ = joined.await;
    gone.send_replace(true);
    for scheduler in schedulers {
        let _ = scheduler.await;
    }
}
