//! Tokens of service accounts: IAM Credentials v1.
//!
//! <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts>. Each token that is made has
//! an audit entry: whoever gets it acts for the account.

use std::time::Duration;

use host_tokens::{LONGEST_LIFETIME, MintError};
use jiff::Timestamp;
use serde_json::json;

use super::fields::Fields;
use super::methods::Method;
use super::service_accounts::about_account;
use super::{Api, Code, Reply, Request, Status};
use crate::identity::{AccessTokenHolder, OwnIssuer, OwnIssuerError, TokenRequest};

/// The methods that make tokens.
pub(super) const METHODS: &[Method] = &[
    Method::changes(
        "google.iam.credentials.v1.IAMCredentials.GenerateIdToken",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:generateIdToken",
        "iam.serviceAccounts.getOpenIdToken",
        generate_id_token,
    ),
    Method::changes(
        "google.iam.credentials.v1.IAMCredentials.GenerateAccessToken",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:generateAccessToken",
        "iam.serviceAccounts.getAccessToken",
        generate_access_token,
    ),
    Method::changes(
        "google.iam.credentials.v1.IAMCredentials.SignBlob",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:signBlob",
        "iam.serviceAccounts.signBlob",
        refuse_to_sign,
    ),
    Method::changes(
        "google.iam.credentials.v1.IAMCredentials.SignJwt",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:signJwt",
        "iam.serviceAccounts.signJwt",
        refuse_to_sign,
    ),
];

fn generate_id_token(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let fields = Fields::of(&body);
    refuse_delegates(fields)?;
    let audience = fields.text("audience")?.unwrap_or_default();
    let wanted = TokenRequest {
        account: request.params.get("account"),
        audience: &audience,
        with_email: fields.boolean("includeEmail")?.unwrap_or_default(),
        lifetime: lifetime(fields)?,
    };
    let token = OwnIssuer::of(api.store(), None)
        .and_then(|issuer| issuer.token(api.store(), wanted, api.now()));
    let token = token.map_err(|error| failed(api, error))?;
    Ok(json!({ "token": token }).into())
}

/// Its scopes are read over: what a token may do is said by the roles of the account.
fn generate_access_token(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let fields = Fields::of(&body);
    refuse_delegates(fields)?;
    let lifetime = lifetime(fields)?;
    let holder = AccessTokenHolder::ServiceAccount(request.params.get("account"));
    let now = api.now();
    let made = OwnIssuer::of(api.store(), None)
        .and_then(|issuer| issuer.access_token(api.store(), holder, lifetime, now));
    let made = made.map_err(|error| failed(api, error))?;
    let expires = Timestamp::try_from(now + made.lifetime)
        .and_then(|expires| Timestamp::from_second(expires.as_second()));
    let expires = expires.map_err(|error| Status::new(Code::Internal, error.to_string()))?;
    Ok(json!({ "accessToken": made.token, "expireTime": expires.to_string() }).into())
}

/// How long the token is to be good. Of ID tokens only this host's own clients say so.
fn lifetime(fields: Fields<'_>) -> Result<Duration, Status> {
    let lifetime = fields.duration("lifetime")?.filter(|time| *time > 0);
    Ok(lifetime.map_or(LONGEST_LIFETIME, Duration::from_millis))
}

/// Not as a method that is not there: clients try such a one again for minutes.
fn refuse_to_sign(_: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    Err(Status::invalid(
        "service accounts of this host have no keys of their own, so nothing is signed for them; ask for a token with \
         generateIdToken or generateAccessToken",
    ))
}

fn refuse_delegates(fields: Fields<'_>) -> Result<(), Status> {
    match fields.list("delegates")?.is_empty() {
        true => Ok(()),
        false => Err(Status::invalid(
            "the request has `delegates`; leave them out, and have the caller be given \
             roles/iam.serviceAccountTokenCreator on the account itself",
        )),
    }
}

fn failed(api: &Api, error: OwnIssuerError) -> Status {
    match error {
        OwnIssuerError::Store(error) => about_account(api, error),
        error @ (OwnIssuerError::Revoked(_) | OwnIssuerError::Disabled(_)) => {
            Status::new(Code::FailedPrecondition, error.to_string())
        }
        OwnIssuerError::Mint(error @ (MintError::Lifetime(_) | MintError::Audience)) => {
            Status::invalid(error.to_string())
        }
        error => {
            tracing::error!("no token can be made: {error}");
            let message = "no token can be made now; the host's own log says why";
            Status::new(Code::Internal, message)
        }
    }
}

#[cfg(test)]
mod tests;
