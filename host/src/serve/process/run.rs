//! A process that serves, from its start to its end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::announce::announce;
use super::assembled::Assembled;
use super::control_plane::ControlPlane;
use super::opened::Opened;
use super::reload::{self, Files};
use super::start::{self, Workers};
use super::{descriptors, methods, service_manager, token_file};
use crate::console::{self, Answering, Names};
use crate::scheduler::Scheduler;
use crate::serve::drain::{Drain, DrainHandle};
use crate::serve::error::ServeError;
use crate::serve::functions::registry;
use crate::serve::listener::tls;
use crate::serve::options::ServeOptions;
use crate::serve::trust::control_callers::ControlCallers;
use crate::serve::trust::own_identity;
use crate::serve::watched;
use crate::store;

/// How long the last log entries may take to be written.
const LOG_CLOSE: Duration = Duration::from_secs(5);

/// Serves until the process is told to end, then drains.
///
/// # Errors
/// Why it could not start. Once it serves, nothing but its end ends it.
pub fn run(options: &ServeOptions) -> Result<(), ServeError> {
    let mut opened = Opened::open(options)?;
    let assembled = Assembled::assemble(options, &mut opened)?;
    serve(options, opened, assembled)
}

/// The third step of a start, and all that comes after it: everything works until the end.
fn serve(
    options: &ServeOptions,
    mut opened: Opened,
    assembled: Assembled,
) -> Result<(), ServeError> {
    let certificate = opened.certificate.clone();
    let tls = certificate.map(|certificate| tls::server_config(certificate, &[b"h2", b"http/1.1"]));
    let tls = tls.transpose()?;
    opened.ending.wait_for_work();
    let (handle, drain) = DrainHandle::new();
    let workers = Workers {
        options,
        routes: assembled.routes.clone(),
        board: Arc::clone(&assembled.board),
        clock: opened.clock,
        tls: tls.map(TlsAcceptor::from),
        log: assembled.log.clone(),
        drain: drain.clone(),
        readiness: Arc::clone(&assembled.readiness),
        connections: connections(options)?,
    };
    let workers = workers.start(std::mem::take(&mut opened.sockets))?;
    announce(
        options,
        opened.access.as_ref(),
        &opened.addresses.url,
        &assembled.catalog,
        opened.admin_addr,
    );
    let store = opened.store().cloned();
    let issuer = methods::issuer(options, &opened);
    let clock = opened.clock;
    let answering = Answering {
        names: Names::new(&options.host.admin_hosts),
        subject: control_plane(options, &opened, &assembled, &drain),
        door: methods::door(options, &opened, &assembled),
        listener_refusal: methods::listener_refusal(&opened),
        tls: methods::tls(&opened)?,
    };
    let answering = Arc::new(answering);
    let (console, socket) = {
        let _runtime = opened.control.enter();
        let socket = opened.socket.take();
        let socket = socket.map(|socket| console::socket::serve(socket, Arc::clone(&answering)));
        (
            console::serve(opened.admin, answering)?,
            socket.transpose()?,
        )
    };
    let Assembled {
        readiness,
        own,
        root,
        declared,
        registry,
        log,
        log_writer,
        schedulers,
        ..
    } = assembled;
    let [file_hangups, function_hangups] = opened.hangups;
    opened.control.block_on(async {
        if let Some(certificate) = opened.certificate {
            watched::spawn(&readiness, "certificate", tls::watch(certificate));
        }
        if let Some(certificate) = opened.admin_certificate {
            watched::spawn(&readiness, "control plane's certificate", tls::watch(certificate));
        }
        if let (Some(directory), Some(issuer)) = (options.functions.clone(), issuer) {
            let keeping = token_file::keep_fresh(directory, clock, issuer);
            watched::spawn(&readiness, "token file", keeping);
        }
        if let Some(socket) = socket {
            watched::spawn(&readiness, "socket", socket);
        }
        if let Some(store) = store {
            watched::spawn(&readiness, "changes", store::watch(store));
        }
        if let Some(registry) = registry {
            let following = registry::follow(registry, function_hangups, drain.clone());
            watched::spawn(&readiness, "functions", following);
        }
        if let Some((own, refresh)) = own {
            let following = own_identity::follow(own, refresh, Arc::clone(&readiness));
            watched::spawn(&readiness, "tokens", following);
        }
        let files = Files { root, declared };
        let following = reload::follow(files, options.watch, file_hangups, drain.clone());
        watched::spawn(&readiness, "files", following);
        let (gone, _) = watch::channel(false);
        let jobs: Vec<_> = schedulers
            .into_iter()
            .map(|scheduler| {
                let subject = scheduler.subject();
                let jobs = scheduler.run(drain.watch(), gone.subscribe());
                watched::spawn(&readiness, subject, jobs)
            })
            .collect();
        watched::spawn(&readiness, "control plane", console);
        watched::spawn(&readiness, "watchdog", service_manager::keep_alive());
        service_manager::ready();
        opened.ending.asked().await;
        service_manager::stopping();
        tracing::info!("Draining: running executions finish, no new ones start. Press Ctrl-C again to end at once.");
        // What is loaded by now is all that will be served.
        opened.sandbox.stop_compiling();
        handle.begin();
        start::ended(workers, jobs, gone).await;
    });
    drop(log);
    log_writer.close(LOG_CLOSE);
    Ok(())
}

/// What the control plane tells of the process.
fn control_plane(
    options: &ServeOptions,
    opened: &Opened,
    assembled: &Assembled,
    drain: &Drain,
) -> ControlPlane {
    ControlPlane {
        catalog: Arc::clone(&assembled.catalog),
        readiness: Arc::clone(&assembled.readiness),
        board: Arc::clone(&assembled.board),
        sandbox: opened.sandbox.clone(),
        jobs: assembled.schedulers.iter().map(Scheduler::handle).collect(),
        log: assembled.log.clone(),
        drain: drain.clone(),
        callers: ControlCallers::new(
            &assembled.board,
            opened.clock,
            opened
                .addresses
                .control_plane_audiences(&options.host.admin_hosts),
        ),
        issuer: methods::issuer(options, opened),
        started: SystemTime::now(),
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
