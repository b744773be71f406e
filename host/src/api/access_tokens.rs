//! Access tokens of the owner, with which the owner's tools call the control plane.

use std::time::Duration;

use host_tokens::LONGEST_LIFETIME;
use serde_json::json;

use super::fields::{Fields, seconds};
use super::methods::Method;
use super::{Api, Code, Reply, Request, Status};
use crate::identity::{AccessTokenHolder, OwnIssuer};

/// The method that makes them.
pub(super) const METHODS: &[Method] = &[Method::changes(
    "host.v1.AccessTokens.Create",
    "POST",
    "/host/v1/accessTokens",
    "host.accessTokens.create",
    create,
)];

/// Only for the owner on the machine itself. Others who have the same role would lose their name in audit entries, and a token
/// that was stolen could be made anew for ever.
fn create(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    if !request.caller.is_owner_here() {
        let message = "only the owner of the host gets such a token, on the machine of the host; others impersonate a \
                       service account, or exchange the token of an outside issuer";
        return Err(Status::new(Code::PermissionDenied, message));
    }
    let body = request.json()?;
    let lifetime = Fields::of(&body).duration("lifetime")?;
    let lifetime = lifetime.map_or(LONGEST_LIFETIME, Duration::from_millis);
    let made = OwnIssuer::of(api.store(), None).and_then(|issuer| {
        issuer.access_token(api.store(), AccessTokenHolder::Owner, lifetime, api.now())
    });
    let made = made.map_err(|error| Status::invalid(error.to_string()))?;
    let lifetime = u64::try_from(made.lifetime.as_millis()).unwrap_or_default();
    Ok(json!({ "accessToken": made.token, "lifetime": seconds(lifetime) }).into())
}
