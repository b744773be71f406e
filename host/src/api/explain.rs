//! Why a token is let in, or is not, check by check.

use std::sync::Arc;
use std::time::SystemTime;

use host_tokens::{
    IssuerConfig, Issuers, Jws, KeySet, Member, Rejection, Step, Trust, TrustedIssuer,
};
use serde_json::{Value, json};

use super::fields::Fields;
use super::functions::public_urls;
use super::methods::Method;
use super::own_issuer::failed;
use super::{Api, Code, Reply, Request, Status};
use crate::identity::access::{
    Access as FunctionAccess, Policy as FunctionPolicy, component_access, function_access,
    project_invokers,
};
use crate::identity::{
    AdvisedCaller, AdvisedRejection, KeySource, OutsideIssuer, OwnIssuer, own_key_set,
    own_revocations, readable_keys, refusal_setting, rejection_setting, revocations_of_disabled,
    unrevoked_keys,
};
use crate::store::{FunctionName, Store, StoreError};

/// The method that explains a token. The token is in the body, which is logged nowhere.
pub(super) const METHODS: &[Method] = &[Method::reads(
    "host.v1.Tokens.ExplainToken",
    "POST",
    "/host/v1/tokens:explain",
    "host.explain.get",
    explain,
)
.with_bodies_up_to(LARGEST_BODY)];

/// More than the longest token that is looked at, in bytes.
const LARGEST_BODY: usize = 256 << 10;
/// What lets a principal in.
const INVOKERS: &str =
    "`host functions add-iam-policy-binding`, or `invokers` or `invoker-rules` of the function";

/// A token that is shown to a function.
#[derive(Clone)]
pub(crate) struct ShownToken {
    /// The token.
    pub(crate) token: String,
    /// The function, or the component that the host serves, by its name in log entries.
    pub(crate) function: FunctionName,
    /// When it is shown.
    pub(crate) time: SystemTime,
}

fn explain(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let shown = read(request)?;
    let (issuers, warning) = api.outside_issuers(request)?;
    let mut explained = shown.explain(api.store(), issuers)?;
    if let Some(warnings) = explained["warnings"].as_array_mut() {
        warnings.extend(warning.map(Value::from));
    }
    Ok(explained.into())
}

fn read(request: &Request<'_>) -> Result<ShownToken, Status> {
    let body = request.json()?;
    let fields = Fields::of(&body);
    let needed = |field: &str| {
        let text = fields.text(field)?;
        text.ok_or_else(|| Status::invalid(format!("the body has no `{field}`")))
    };
    let function = needed("function")?.parse();
    let time = fields.text("time")?.map(|time| {
        let time: Result<jiff::Timestamp, _> = time.parse();
        time.map_err(|error| Status::invalid(format!("the field `time`: {error}")))
    });
    Ok(ShownToken {
        token: needed("token")?,
        function: function
            .map_err(|error: crate::store::NameError| Status::invalid(error.to_string()))?,
        time: time
            .transpose()?
            .map_or_else(SystemTime::now, SystemTime::from),
    })
}

impl ShownToken {
    /// What a host that serves from `store` and trusts `outside`, beside its own issuer, makes of it: the `verdict` (`OPEN`
    /// if no token is looked at, `ACCEPTED` or `REFUSED`), the `checks`, the `reason` of a refusal, and `warnings`.
    ///
    /// # Errors
    /// If there is no such function, or the store fails.
    pub(crate) fn explain(
        &self,
        store: &Store,
        outside: Vec<OutsideIssuer>,
    ) -> Result<Value, Status> {
        let policy = match access(store, &self.function)? {
            FunctionAccess::Open => {
                return Ok(json!({ "verdict": "OPEN", "checks": [], "warnings": [] }));
            }
            FunctionAccess::Private(policy) => policy,
        };
        let mut warnings = Vec::new();
        let token = self.token.trim();
        let trust = trust(store, with_keys(outside, token, &mut warnings)?)?;
        let (checks, refusal) = judged(&trust, &policy, token, self.time)?;
        let verdict = if refusal.is_some() {
            "REFUSED"
        } else {
            "ACCEPTED"
        };
        Ok(json!({ "verdict": verdict, "checks": checks, "reason": refusal, "warnings": warnings }))
    }
}

/// The checks, and why the token is refused, if it is.
fn judged(
    trust: &Trust,
    policy: &FunctionPolicy,
    token: &str,
    now: SystemTime,
) -> Result<(Vec<Value>, Option<String>), Status> {
    let audiences = policy.audiences().clone();
    let (steps, rejection) = match trust.explain(token, &audiences, now) {
        Ok(explained) => explained,
        Err(rejection) => {
            let setting = rejection_setting(&rejection).to_string();
            let reason = AdvisedRejection(&rejection).to_string();
            let check = refused("form and issuer", &reason, &setting);
            return Ok((vec![check], Some(reason)));
        }
    };
    let mut checks: Vec<_> = steps.iter().map(checked).collect();
    if let Some(rejection) = rejection {
        let reason = AdvisedRejection(&rejection).to_string();
        if let Rejection::Revoked { .. } | Rejection::Unreadable(_) = rejection {
            let setting = rejection_setting(&rejection).to_string();
            checks.push(refused("revocation", &reason, &setting));
        }
        return Ok((checks, Some(reason)));
    }
    let caller = trust.judge(token, &audiences, now).map_err(|rejected| {
        let reason = AdvisedRejection(&rejected.rejection).to_string();
        Status::new(Code::FailedPrecondition, reason)
    })?;
    match policy.admit(&caller) {
        Ok(()) => {
            checks.push(json!({ "title": "invoker", "isPassed": true }));
            Ok((checks, None))
        }
        Err(error) => {
            let reason = AdvisedCaller(error).to_string();
            checks.push(refused("invoker", &reason, INVOKERS));
            Ok((checks, Some(reason)))
        }
    }
}

fn checked(step: &Step) -> Value {
    let mut check = json!({
        "title": step.title,
        "isPassed": step.refusal.is_none(),
        "expected": step.expected,
        "found": step.found,
    });
    if let Some(refusal) = &step.refusal {
        check["reason"] = json!(refusal.to_string());
        check["setting"] = json!(refusal_setting(refusal).to_string());
    }
    check
}

fn refused(title: &str, reason: &str, setting: &str) -> Value {
    json!({ "title": title, "isPassed": false, "reason": reason, "setting": setting })
}

/// What a host that serves from `store` trusts.
fn trust(store: &Store, outside: Vec<TrustedIssuer>) -> Result<Trust, Status> {
    let issuer = OwnIssuer::of(store, None).map_err(failed)?;
    let accounts = store.service_accounts()?;
    let mut revoked = own_revocations(store.revocations()?, &issuer.url);
    revoked.extend(revocations_of_disabled(&accounts, &issuer.url));
    let keys = unrevoked_keys(store.signing_keys()?, &revoked, &issuer.url);
    let keys = own_key_set(&readable_keys(keys)).map_err(failed)?;
    let own = TrustedIssuer::new(issuer.config(accounts)).with_keys(keys.map(Into::into));
    let mut trusted = vec![own];
    trusted.extend(outside);
    let trust = Trust::new(0, trusted, revoked);
    trust.map_err(|error| Status::new(Code::FailedPrecondition, error.to_string()))
}

/// Who may call `function` of the store, or else the component of that name which the host serves, or served last.
fn access(store: &Store, function: &FunctionName) -> Result<FunctionAccess, Status> {
    let wrong =
        |error: &dyn std::fmt::Display| Status::new(Code::FailedPrecondition, error.to_string());
    let urls = public_urls(store)?;
    let missing = match store.function(function) {
        Ok(record) => {
            let of_project = project_invokers(store)?;
            let access = function_access(&record, &of_project, &urls);
            return access.map_err(|error| wrong(&error));
        }
        Err(missing @ StoreError::NoFunction { .. }) => missing,
        Err(error) => return Err(error.into()),
    };
    let host = store.serving_host()?;
    let component = host.and_then(|host| host.component);
    let Some(component) = component.filter(|component| component.name == function.as_str()) else {
        return Err(missing.into());
    };
    let members = component.members.map(|members| {
        let members = members.iter().map(|member| member.parse::<Member>());
        members.collect::<Result<Vec<_>, _>>()
    });
    let members = members.transpose().map_err(|error| wrong(&error))?;
    Ok(component_access(members.as_deref(), &urls))
}

/// The issuers; the one that `token` names has the keys that it publishes now. Why they cannot be had is added to
/// `warnings`. The keys of the others decide nothing, and are not fetched.
fn with_keys(
    outside: Vec<OutsideIssuer>,
    token: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<TrustedIssuer>, Status> {
    let configs = outside.iter().map(|issuer| Arc::clone(&issuer.config));
    let issuers = Issuers::new(configs.collect());
    let issuers =
        issuers.map_err(|error| Status::new(Code::FailedPrecondition, error.to_string()))?;
    let read = Jws::read(token).ok();
    let named = read.and_then(|read| issuers.choose(&read).ok().cloned());
    let mut trusted = Vec::new();
    for OutsideIssuer { config, keys } in outside {
        let is_named = named.as_ref().is_some_and(|it| Arc::ptr_eq(it, &config));
        let keys = match is_named {
            true => fetch(&config, &keys)
                .map_err(|error| warnings.push(error))
                .ok(),
            false => None,
        };
        trusted.push(TrustedIssuer::new(config).with_keys(keys.map(Into::into)));
    }
    Ok(trusted)
}

/// The keys that an issuer publishes now, or why they cannot be had.
fn fetch(config: &IssuerConfig, keys: &KeySource) -> Result<KeySet, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("cannot fetch keys of issuers: {error}"))?;
    let fetched = runtime.block_on(keys.fetch());
    let keys = fetched.map_err(|error| error.to_string())?.value;
    match keys.problem() {
        Some(problem) => Err(format!("{}: {problem}", config.issuer())),
        None => Ok(keys),
    }
}

#[cfg(test)]
mod tests;
