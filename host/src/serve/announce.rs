//! What a process that serves says of itself when it begins.

use std::net::SocketAddr;

use super::catalog::Catalog;
use super::options::{ComponentAccess, ServeOptions};
use crate::stderr;

/// Tells on stderr where everything answers.
pub(super) fn announce(
    options: &ServeOptions,
    access: Option<&ComponentAccess>,
    url: &str,
    catalog: &Catalog,
    admin: SocketAddr,
) {
    let mut lines = Vec::new();
    if let Some(component) = &options.component {
        let who = match access {
            Some(ComponentAccess::Private(_)) => "private: callers need a valid token",
            _ => "open: anyone who reaches it may call",
        };
        lines.push(format!("Function {}: {url}/ ({who})", component.name));
    }
    if let Some(directory) = &options.functions {
        let (number, directory) = (catalog.len(), directory.display());
        lines.push(format!("Functions: {url}/NAME ({number} from {directory})"));
    }
    lines.push(format!("Control plane: http://{admin}/healthz"));
    // In one piece: stderr has no buffer, and each piece would be a write of its own.
    stderr::line!("{}", lines.join("\n"));
}
