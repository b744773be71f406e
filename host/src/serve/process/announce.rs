//! What a process that serves says of itself when it begins.

use std::net::SocketAddr;

use crate::serve::functions::catalog::Catalog;
use crate::serve::options::{ComponentAccess, ServeOptions};

/// Tells on stderr where everything answers.
pub(in crate::serve) fn announce(
    options: &ServeOptions,
    access: Option<&ComponentAccess>,
    url: &str,
    catalog: &Catalog,
    admin: SocketAddr,
) {
    if let Some(component) = &options.component {
        let who = match access {
            Some(ComponentAccess::Private(_)) => "private: callers need a valid token",
            _ => "open: anyone who reaches it may call",
        };
        tracing::info!("Function {}: {url}/ ({who})", component.name);
    }
    if let Some(directory) = &options.functions {
        let (number, directory) = (catalog.len(), directory.display());
        tracing::info!("Functions: {url}/NAME ({number} from {directory})");
    }
    tracing::info!("Control plane: http://{admin}/healthz");
}
