//! Starts the workers, and waits for their end.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use host_tokens::SteadyClock;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::logs::LogQueue;
use crate::serve::drain::{Drain, Pending};
use crate::serve::error::ServeError;
use crate::serve::functions::catalog::WorkerRoutes;
use crate::serve::listener::connection::Bounds;
use crate::serve::listener::loads::Loads;
use crate::serve::listener::worker::{TurnedAway, Worker};
use crate::serve::options::ServeOptions;
use crate::serve::readiness::Readiness;
use crate::serve::request::authenticate::Authenticator;
use crate::serve::request::invoke::Invoker;
use crate::serve::request::refusals::Refusals;
use crate::serve::trust::board::TrustBoard;
use crate::serve::watched;
use host_sandbox::execution::RunQueue;

/// The name of log entries that are of no function.
const NO_FUNCTION: &str = "host";

/// What all workers have in common.
pub(in crate::serve) struct Workers<'a> {
    pub(in crate::serve) options: &'a ServeOptions,
    /// One for each worker.
    pub(in crate::serve) routes: Vec<WorkerRoutes>,
    pub(in crate::serve) board: Arc<TrustBoard>,
    pub(in crate::serve) clock: SteadyClock,
    pub(in crate::serve) tls: Option<TlsAcceptor>,
    pub(in crate::serve) log: LogQueue,
    pub(in crate::serve) drain: Drain,
    pub(in crate::serve) readiness: Arc<Readiness>,
    /// Connections at once.
    pub(in crate::serve) connections: usize,
}

impl Workers<'_> {
    /// Starts a worker for each of `sockets`; one without a socket gets its connections from the others.
    pub(in crate::serve) fn start(
        self,
        sockets: Vec<Option<TcpListener>>,
    ) -> Result<Vec<JoinHandle<()>>, ServeError> {
        let options = self.options;
        let loads = Loads::new(options.workers, self.connections);
        let no_function: Arc<str> = NO_FUNCTION.into();
        let (senders, inboxes): (Vec<_>, Vec<_>) =
            sockets.iter().map(|_| mpsc::unbounded_channel()).unzip();
        let (begun, begins) = std::sync::mpsc::channel();
        let turned_away = TurnedAway::default();
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
                    turned_away: turned_away.clone(),
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
        Invoker {
            routes: Arc::clone(&routes.table),
            no_function: Arc::clone(no_function),
            permits: Arc::clone(&routes.permits),
            authenticator: Authenticator::new(self.board.of_worker(index), self.clock),
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
pub(in crate::serve) async fn ended(
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
