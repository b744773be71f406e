//! What the host says of itself to whoever is known.

use serde_json::json;

use super::methods::Method;
use super::{Api, Reply, Request, Status};

/// The method.
pub(super) const METHODS: &[Method] = &[Method::for_all(
    "host.v1.Host.Get",
    "GET",
    "/host/v1/host",
    get,
)];

fn get(api: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    let project = api.project();
    let serving = api.store().serving_host()?;
    let serving = serving.filter(|_| api.store().is_served());
    let url = serving.map(|host| host.public_url.unwrap_or(host.url));
    Ok(json!({
        "project": project.id,
        "location": project.location,
        "serviceAccountDomain": project.service_account_domain(),
        "version": env!("CARGO_PKG_VERSION"),
        "functionsUrl": url,
        "controlPlaneUrl": api.control_plane(),
    })
    .into())
}
