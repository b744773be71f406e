//! One worker: a thread, its runtime, its accept queue.

use std::io;
use std::net::TcpListener as StdListener;
use std::net::TcpStream as StdStream;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;

use super::connection::{Bounds, Connection};
use super::loads::{ConnectionPermit, Loads};
use crate::lingering;
use crate::serve::drain::{Drain, DrainHandle, Pending};
use crate::serve::request::invoke::Invoker;

/// A connection that another worker accepted.
pub(in crate::serve) type HandedOver = (StdStream, ConnectionPermit);

/// How much longer than the longest wall time of an execution a drain may take.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many clients that were turned away are listened to at once, on all workers, so that the answer reaches them, and
/// for how long.
const TURNED_AWAY: usize = 16;
const LEAVING: Duration = Duration::from_secs(1);

/// What a client beyond the limit of connections is sent, as far as the socket takes it at once.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Everything a worker is made of.
pub(in crate::serve) struct Worker {
    pub(in crate::serve) index: usize,
    pub(in crate::serve) listener: Option<StdListener>,
    pub(in crate::serve) inbox: mpsc::UnboundedReceiver<HandedOver>,
    pub(in crate::serve) others: Vec<mpsc::UnboundedSender<HandedOver>>,
    pub(in crate::serve) loads: Arc<Loads>,
    pub(in crate::serve) invoker: Arc<Invoker>,
    pub(in crate::serve) pending: Arc<Pending>,
    pub(in crate::serve) bounds: Bounds,
    pub(in crate::serve) tls: Option<TlsAcceptor>,
    pub(in crate::serve) drain: Drain,
    pub(in crate::serve) turned_away: TurnedAway,
}

/// Clients that were turned away and may not have read the answer yet.
#[derive(Clone)]
pub(in crate::serve) struct TurnedAway(Arc<Semaphore>);

impl Default for TurnedAway {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TURNED_AWAY)))
    }
}

impl TurnedAway {
    /// Answers 503. A request that comes after the connection was closed would take the answer back, so the connection
    /// lingers for a moment, unless too many do.
    fn answer(&self, mut stream: TcpStream) {
        let _ = stream.try_write(FULL);
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            tokio::spawn(async move {
                let _ = tokio::time::timeout(LEAVING, lingering::close(&mut stream)).await;
                drop(permit);
            });
        }
    }
}

impl Worker {
    /// Serves until the drain is over. Runs on a thread of its own, and tells by `begun` whether it can, or why not: the
    /// system may give no runtime.
    pub(in crate::serve) fn run(mut self, begun: Sender<io::Result<()>>) {
        match self.begin() {
            Ok((runtime, listener)) => {
                // If nobody wants to know any more, it is to end.
                let _ = begun.send(Ok(()));
                drop(begun);
                runtime.block_on(self.serve(listener));
            }
            Err(error) => drop(begun.send(Err(error))),
        }
    }

    fn begin(&mut self) -> io::Result<(Runtime, Option<TcpListener>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _runtime = runtime.enter();
            let listener = self.listener.take();
            listener.map(TcpListener::from_std).transpose()?
        };
        Ok((runtime, listener))
    }

    async fn serve(mut self, listener: Option<TcpListener>) {
        // The connections listen to their own worker, so that no two workers meet at one lock for each request.
        let (handle, drain) = DrainHandle::new();
        let mut asked = std::mem::replace(&mut self.drain, drain);
        loop {
            tokio::select! {
                accepted = accept(listener.as_ref()) => self.take(accepted).await,
                Some((stream, permit)) = self.inbox.recv() => self.spawn_handed_over(stream, permit),
                () = asked.begun() => break,
            }
        }
        handle.begin();
        self.drain(listener).await;
    }

    /// Serves whoever was in the queue already, turns away whoever waits for an instance, and lets the rest finish.
    async fn drain(mut self, listener: Option<TcpListener>) {
        if let Some(listener) = listener {
            while let Some(accepted) = poll_once(listener.accept()).await {
                if accepted.is_err() {
                    break;
                }
                self.take(accepted.map(|(stream, _)| stream)).await;
            }
        }
        self.inbox.close();
        while let Some((stream, permit)) = self.inbox.recv().await {
            self.spawn_handed_over(stream, permit);
        }
        self.invoker.permits.close();
        self.invoker.routes.current().close();
        // What outlives every deadline is cut off with the runtime.
        let limit = self.invoker.routes.current().longest_wall_time + DRAIN_MARGIN;
        let _ = tokio::time::timeout(limit, self.pending.none()).await;
        self.invoker.refusals.close_all();
    }

    /// Serves a connection, or hands it to a worker that has fewer.
    async fn take(&self, accepted: io::Result<TcpStream>) {
        let Ok(stream) = accepted else {
            // Out of descriptors, most likely: connections that end will free some.
            return tokio::time::sleep(ACCEPT_PAUSE).await;
        };
        let Some(permit) = self.loads.acquire(self.index) else {
            if self.tls.is_none() {
                self.turned_away.answer(stream);
            }
            return;
        };
        if permit.worker() == self.index {
            return self.spawn(stream, permit);
        }
        let Ok(stream) = stream.into_std() else {
            return;
        };
        if let Err(unsent) = self.others[permit.worker()].send((stream, permit)) {
            // That worker is draining, and so will this one be; the client is served all the same.
            let (stream, permit) = unsent.0;
            self.spawn_handed_over(stream, permit);
        }
    }

    fn spawn_handed_over(&self, stream: StdStream, permit: ConnectionPermit) {
        if let Ok(stream) = TcpStream::from_std(stream) {
            self.spawn(stream, permit);
        }
    }

    fn spawn(&self, stream: TcpStream, permit: ConnectionPermit) {
        let connection = Connection {
            invoker: Arc::clone(&self.invoker),
            bounds: self.bounds,
            drain: self.drain.clone(),
        };
        let pending = self.pending.guard();
        let tls = self.tls.clone();
        tokio::spawn(async move {
            connection.serve(stream, tls).await;
            drop((permit, pending));
        });
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// The result of `future` if it is there without waiting.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
