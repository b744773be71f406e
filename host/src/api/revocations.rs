//! Revocations: tokens that are refused although they are good.

mod known_issuers;

use std::time::SystemTime;

use host_tokens::{IssuerUrl, Revocation, RevokedKind};
use serde_json::{Value, json};

use super::fields::Fields;
use super::methods::Method;
use super::own_issuer::failed;
use super::{Api, Code, Reply, Request, Status};
use crate::identity::{OWN, OwnIssuer};
use crate::store::{DatedRevocation, did_you_mean, nearest};
use known_issuers::{Known, KnownIssuers};

/// The methods of revocations.
pub(super) const METHODS: &[Method] = &[
    Method::changes(
        "host.v1.Revocations.CreateRevocation",
        "POST",
        "/host/v1/revocations",
        "host.revocations.create",
        create,
    ),
    Method::reads(
        "host.v1.Revocations.ListRevocations",
        "GET",
        "/host/v1/revocations",
        "host.revocations.list",
        list,
    ),
];

/// The fields of which a request has one, and what each revokes.
const KINDS: [(&str, RevokedKind); 3] = [
    ("subject", RevokedKind::Subject),
    ("tokenId", RevokedKind::Token),
    ("keyId", RevokedKind::Key),
];

/// Revokes a subject, a token or a key of `issuer`, or else of the host's own issuer. `knownIssuers` has names of issuers
/// that the caller knows, each with its URL, so that a mistyped one is noticed.
fn create(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let fields = Fields::of(&body);
    let (kind, value) = wanted(fields)?;
    let own = OwnIssuer::of(api.store(), None).map_err(failed)?;
    let issuer = match fields.text("issuer")? {
        Some(url) => parse(&url)?,
        None => own.url.clone(),
    };
    let is_own = issuer == own.url;
    let mut warnings = Vec::new();
    check(api, request, &issuer, &own.url, &mut warnings)?;
    let (value, is_replaced) = match (is_own, kind) {
        (true, RevokedKind::Subject) => (own_subject(api, value)?, false),
        (true, RevokedKind::Key) => own_key(api, &own, value)?,
        _ => (value, false),
    };
    let revocation = Revocation {
        issuer: if is_own { OWN } else { issuer.as_str() }.to_owned(),
        kind,
        value,
    };
    api.store().revoke(&revocation)?;
    api.enforce_identity()?;
    let mut answer = shown(&revocation, &own.url);
    answer["warnings"] = json!(warnings);
    answer["signingKeyReplaced"] = json!(is_replaced);
    Ok(answer.into())
}

fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let own = OwnIssuer::of(api.store(), None).map_err(failed)?;
    let mut all = api.store().dated_revocations()?;
    all.sort_by_cached_key(name);
    let (all, next) = request.page()?.of(all, name);
    let shown = all.iter().map(|dated| {
        let mut shown = shown(&dated.revocation, &own.url);
        shown["createTime"] = json!(dated.made);
        shown
    });
    let mut answer = json!({ "revocations": shown.collect::<Vec<_>>() });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn wanted(fields: Fields<'_>) -> Result<(RevokedKind, String), Status> {
    let mut named = Vec::new();
    for (field, kind) in KINDS {
        named.extend(fields.text(field)?.map(|value| (kind, value)));
    }
    let one: Result<[_; 1], _> = named.try_into();
    let [one] = one.map_err(|_| {
        Status::invalid("the body has none of subject, tokenId and keyId, or several; expected one")
    })?;
    Ok(one)
}

fn parse(url: &str) -> Result<IssuerUrl, Status> {
    url.parse()
        .map_err(|error| Status::invalid(format!("the field `issuer`: {error}")))
}

/// Makes sure that `issuer` is not a mistyped name of another one.
fn check(
    api: &Api,
    request: &Request<'_>,
    issuer: &IssuerUrl,
    own: &IssuerUrl,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let named: Vec<(String, String)> = Fields::of(&request.json()?).map("knownIssuers")?;
    // Nothing that is wrong elsewhere keeps a right alive.
    let known = KnownIssuers::new(api, request, own, warnings);
    let mut known = known.unwrap_or_else(|error| {
        warnings.push(format!(
            "it is not clear which issuers are known here: {error}"
        ));
        KnownIssuers::default()
    });
    for (name, url) in named {
        known.add(&parse(&url)?, [name]);
    }
    match known.look_up(issuer) {
        Known::Yes => Ok(()),
        Known::No if issuer == own => Ok(()),
        Known::Alike(other) => Err(Status::invalid(format!(
            "{issuer} is no issuer that is known here, and would be revoked to no effect; did you mean `{other}`?"
        ))),
        Known::No => {
            warnings.push(format!(
                "{issuer} is no issuer that is known here: this has an effect only if the host trusts it by exactly this \
                 name; --config looks into the host's configuration"
            ));
            Ok(())
        }
    }
}

/// The subject of the account that goes by this subject or this address.
fn own_subject(api: &Api, name: String) -> Result<String, Status> {
    if name.contains('@') {
        return Ok(api.store().service_account(&name)?.subject);
    }
    let accounts = api.store().service_accounts()?;
    let subjects = accounts.into_iter().map(|account| account.subject);
    let subjects: Vec<_> = subjects.collect();
    if !subjects.contains(&name) {
        let message = format!(
            "no service account of this host has the subject {name}{}; tokens of one that was deleted are refused already",
            did_you_mean(nearest(&name, subjects).as_ref())
        );
        return Err(Status::new(Code::NotFound, message));
    }
    Ok(name)
}

/// This key of the host, once another one signs if it was this that did, and whether it was.
fn own_key(api: &Api, own: &OwnIssuer, name: String) -> Result<(String, bool), Status> {
    let keys = api.store().signing_keys()?;
    if !keys.iter().any(|key| key.id == name) {
        let ids = keys.into_iter().map(|key| key.id);
        let message = format!(
            "this host's own issuer has no key {name}{}; see `host iam keys list`",
            did_you_mean(nearest(&name, ids).as_ref())
        );
        return Err(Status::new(Code::NotFound, message));
    }
    let replaced = own.replace_key(api.store(), &name, SystemTime::now());
    Ok((name, replaced.map_err(failed)?))
}

/// The revocation, with the host's own issuer by the name that it has now.
fn shown(revocation: &Revocation, own: &IssuerUrl) -> Value {
    let issuer = match revocation.issuer.as_str() {
        OWN => own.as_str(),
        issuer => issuer,
    };
    json!({ "issuer": issuer, "kind": revocation.kind.word(), "value": revocation.value })
}

/// In the order of which revocations are listed.
fn name(dated: &DatedRevocation) -> String {
    let Revocation {
        issuer,
        kind,
        value,
    } = &dated.revocation;
    format!("{}\n{issuer}\n{}\n{value}", dated.made, kind.word())
}

#[cfg(test)]
mod tests;
