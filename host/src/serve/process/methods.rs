//! The methods of the control plane, as this process offers them.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use super::assembled::Assembled;
use super::opened::Opened;
use crate::api::functions::TryComponent;
use crate::api::{Api, AuditEntry, CountInstances, FunctionInstances, LogAccess};
use crate::console::Door;
use crate::identity::OwnIssuer;
use crate::logs::LogQueue;
use crate::serve::error::{ServeError, TlsError};
use crate::serve::functions::catalog::Catalog;
use crate::serve::functions::load::try_component;
use crate::serve::listener::tls;
use crate::serve::options::ServeOptions;
use crate::store::Store;

/// The way to the methods, or why there is none here.
pub(in crate::serve) fn door(
    options: &ServeOptions,
    opened: &Opened,
    assembled: &Assembled,
) -> Result<Arc<Door>, String> {
    let Some(store) = opened.store().filter(|_| options.functions.is_some()) else {
        return Err(
            "this host serves one component and no functions that can be changed; serve with --with-functions".into(),
        );
    };
    let (log, kept) = (assembled.log.clone(), options.kept_log.as_ref());
    let access = LogAccess::served(kept.map(|kept| kept.directory.clone()), log.clone());
    let is_kept = kept.is_some();
    let note = move |entry| note(&log, is_kept, entry);
    let api = Api::new(Arc::clone(store), Box::new(note));
    let api = api.map_err(|status| status.message)?;
    let sandbox = opened.sandbox.clone();
    let try_out: TryComponent =
        Box::new(move |name, wasm, settings| try_component(&sandbox, name, wasm, settings));
    let api = api
        .at(opened.addresses.control_plane.clone())
        .with_clock(opened.clock)
        .counting_instances(count_instances(Arc::clone(&assembled.catalog)))
        .trying_components(try_out)
        .with_log(access);
    if let Err(status) = api.end_interrupted_operations() {
        tracing::error!("operations of an earlier process are not ended: {status}");
    }
    Ok(Arc::new(Door::new(Arc::new(api))))
}

/// Counts the instances of the functions in `catalog`, by name.
fn count_instances(catalog: Arc<Catalog>) -> CountInstances {
    Box::new(move || {
        let accounts = catalog.accounts().into_iter();
        let mut functions: Vec<_> = accounts
            .map(|account| FunctionInstances {
                function: account.name.to_string(),
                busy: account.totals.running,
                limit: account.instances as u64,
                waiting: account.waiting as u64,
                warm: account.warm.map(|warm| warm.idle as u64),
            })
            .collect();
        functions.sort_by(|one, other| one.function.cmp(&other.function));
        functions
    })
}

/// The host's own issuer, and the store with its keys.
pub(in crate::serve) fn issuer(
    options: &ServeOptions,
    opened: &Opened,
) -> Option<(OwnIssuer, Arc<Store>)> {
    let issuer = OwnIssuer {
        url: opened.addresses.issuer().ok()?,
        algorithm: options.identity.algorithm,
    };
    Some((issuer, Arc::clone(opened.store()?)))
}

/// Why methods do not answer on the listener: tokens would be sent in the clear.
pub(in crate::serve) fn listener_refusal(opened: &Opened) -> Option<String> {
    let is_safe = opened.admin_addr.ip().is_loopback() || opened.admin_certificate.is_some();
    (!is_safe).then(|| {
        format!(
            "the control plane listens on {} without TLS, so it answers health, metrics and keys alone; give it \
             --admin-tls-cert and --admin-tls-key, or have it listen on loopback",
            opened.admin_addr
        )
    })
}

/// Writes an audit entry to the log. Where that is not kept, and where it has no room, the host's own messages tell of it.
fn note(log: &LogQueue, is_kept: bool, entry: AuditEntry) {
    let summary = entry.summary.clone();
    match log.push(vec![entry.into_entry()]) {
        0 if is_kept => {}
        0 => tracing::info!("{summary}"),
        _ => tracing::error!("the log has no room for an audit entry: {summary}"),
    }
}

/// How the control plane speaks TLS, if it does.
///
/// # Errors
/// If TLS cannot be set up.
pub(in crate::serve) fn tls(opened: &Opened) -> Result<Option<TlsAcceptor>, ServeError> {
    let certificate = opened.admin_certificate.clone();
    let config = certificate.map(|certificate| tls::server_config(certificate, &[b"http/1.1"]));
    let config = config
        .transpose()
        .map_err(|error: TlsError| ServeError::from(error))?;
    Ok(config.map(TlsAcceptor::from))
}
