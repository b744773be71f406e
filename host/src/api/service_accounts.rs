//! Service accounts: IAM v1.
//!
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts>. They have no keys that people keep: who
//! is to act for one is given a role on it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::access::INVOKER;
use super::fields::Fields;
use super::mask::{self, Mask};
use super::methods::Method;
use super::{Api, Code, Params, Reply, Request, Status, policies};
use crate::identity::{check_account_domain, check_account_name, new_subject};
use crate::store::{PolicyOf, ServiceAccountRecord, StoreError, sha256};

/// The longest display name, in bytes.
const LONGEST_NAME: usize = 100;
/// The longest description, in bytes.
const LONGEST_DESCRIPTION: usize = 256;
/// How many digits of the digest an etag has.
const ETAG: usize = 8;

/// The fields that a client may set.
const FIELDS: [&str; 2] = ["displayName", "description"];

/// The methods of service accounts.
pub(super) const METHODS: &[Method] = &[
    Method::changes(
        "google.iam.admin.v1.CreateServiceAccount",
        "POST",
        "/v1/projects/{project}/serviceAccounts",
        "iam.serviceAccounts.create",
        create,
    ),
    Method::reads(
        "google.iam.admin.v1.GetServiceAccount",
        "GET",
        "/v1/projects/{project}/serviceAccounts/{account}",
        "iam.serviceAccounts.get",
        get,
    ),
    Method::reads(
        "google.iam.admin.v1.ListServiceAccounts",
        "GET",
        "/v1/projects/{project}/serviceAccounts",
        "iam.serviceAccounts.list",
        list,
    ),
    Method::changes(
        "google.iam.admin.v1.PatchServiceAccount",
        "PATCH",
        "/v1/projects/{project}/serviceAccounts/{account}",
        "iam.serviceAccounts.update",
        patch,
    ),
    Method::changes(
        "google.iam.admin.v1.UpdateServiceAccount",
        "PUT",
        "/v1/projects/{project}/serviceAccounts/{account}",
        "iam.serviceAccounts.update",
        update,
    ),
    Method::changes(
        "google.iam.admin.v1.DeleteServiceAccount",
        "DELETE",
        "/v1/projects/{project}/serviceAccounts/{account}",
        "iam.serviceAccounts.delete",
        delete,
    ),
    Method::changes(
        "google.iam.admin.v1.DisableServiceAccount",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:disable",
        "iam.serviceAccounts.disable",
        |api, request| set_disabled(api, request, true),
    ),
    Method::changes(
        "google.iam.admin.v1.EnableServiceAccount",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:enable",
        "iam.serviceAccounts.enable",
        |api, request| set_disabled(api, request, false),
    ),
    Method::reads(
        "google.iam.admin.v1.GetIAMPolicy",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:getIamPolicy",
        "iam.serviceAccounts.getIamPolicy",
        |api, request| policies::get(api, request, &policy(request), INVOKER),
    ),
    Method::changes(
        "google.iam.admin.v1.SetIAMPolicy",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:setIamPolicy",
        "iam.serviceAccounts.setIamPolicy",
        |api, request| policies::set(api, request, &policy(request), INVOKER),
    ),
    Method::for_all(
        "google.iam.admin.v1.TestIAMPermissions",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}:testIamPermissions",
        |api, request| policies::test(api, request, &policy(request)),
    ),
    Method::changes(
        "google.iam.admin.v1.CreateServiceAccountKey",
        "POST",
        "/v1/projects/{project}/serviceAccounts/{account}/keys",
        "iam.serviceAccountKeys.create",
        refuse_key,
    ),
];

/// `params` with the account by its address, if its unique id stands there.
///
/// # Errors
/// If the store fails.
pub(super) fn by_address(api: &Api, params: Params) -> Result<Params, Status> {
    let named = params.find("account");
    let Some(subject) = named.filter(|name| !name.contains('@')) else {
        return Ok(params);
    };
    let accounts = api.store().service_accounts()?;
    let found = accounts.into_iter().find(|one| one.subject == subject);
    Ok(match found {
        Some(account) => params.with("account", account.email),
        None => params,
    })
}

fn create(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let fields = Fields::of(&body);
    let name = fields.text("accountId")?.unwrap_or_default();
    check_account_name(&name).map_err(Status::invalid)?;
    let email = format!("{name}@{}", domain(api, request, fields)?);
    let account = fields.inner("serviceAccount");
    let [display_name, description] = texts(account)?;
    let created = api.store().create_described_account(
        &email,
        new_subject().as_str(),
        &display_name,
        &description,
    );
    let created = created.map_err(|error| about_account(api, error))?;
    Ok(shown(api, &created).into())
}

/// The domain of the address. One that is named becomes this host's own, so that no issuer can vouch for an address in it
/// any more: that is for those who may give every role.
fn domain(api: &Api, request: &Request<'_>, fields: Fields<'_>) -> Result<String, Status> {
    let own = api.project().service_account_domain();
    let Some(domain) = fields.text("domain")?.filter(|domain| *domain != own) else {
        return Ok(own);
    };
    check_account_domain(&domain).map_err(Status::invalid)?;
    api.require(
        &request.caller.principal,
        "resourcemanager.projects.setIamPolicy",
        &PolicyOf::Project,
    )?;
    Ok(domain)
}

fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let found = api.store().service_account(request.params.get("account"));
    let record = found.map_err(|error| about_account(api, error))?;
    Ok(shown(api, &record).into())
}

fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let records = api.store().service_accounts()?;
    let (records, next) = request.page()?.of(records, |record| record.email.clone());
    let accounts: Vec<Value> = records.iter().map(|record| shown(api, record)).collect();
    let mut answer = json!({ "accounts": accounts });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn patch(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let none = json!({});
    let new = body.get("serviceAccount").unwrap_or(&none);
    change(api, request, new, request.mask()?)
}

fn update(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    change(api, request, &request.json()?, None)
}

fn change(
    api: &Api,
    request: &Request<'_>,
    new: &Value,
    mask: Option<Mask>,
) -> Result<Reply, Status> {
    if let Some(mask) = &mask {
        // The etag is compared whether or not it is named.
        mask.check(|field| FIELDS.contains(&field) || field == "etag")?;
    }
    let etag = Fields::of(new).text("etag")?;
    let email = request.params.get("account");
    let changed = api.store().change_service_account(email, |record| {
        if etag.is_some_and(|etag| !etag.is_empty() && etag != etag_of(record)) {
            return Err(Status::new(
                Code::Aborted,
                format!("the service account {email} was changed since it was read; read it again and change that"),
            ));
        }
        let mut document = texts_of(record);
        match &mask {
            Some(mask) => mask.apply(&mut document, new),
            None => mask::replace(&mut document, new),
        }
        [record.display_name, record.description] = texts(Fields::of(&document))?;
        Ok(())
    });
    Ok(shown(api, &changed?).into())
}

fn delete(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let deleted = api
        .store()
        .delete_service_account(request.params.get("account"));
    let changed = deleted.map_err(|error| about_account(api, error))?;
    let functions: Vec<String> = changed
        .iter()
        .map(|record| record.name.to_string())
        .collect();
    Ok(match request.is_own_client && !functions.is_empty() {
        true => json!({ "functions": functions }).into(),
        false => json!({}).into(),
    })
}

fn set_disabled(api: &Api, request: &Request<'_>, is_disabled: bool) -> Result<Reply, Status> {
    let email = request.params.get("account");
    api.store().change_service_account(email, |record| {
        record.is_disabled = is_disabled;
        Ok::<_, Status>(())
    })?;
    Ok(json!({}).into())
}

/// Not as a method that is not there: clients try such a one again for minutes.
fn refuse_key(_: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    Err(Status::invalid(
        "service accounts of this host have no keys that people keep; get tokens of an account with \
         roles/iam.serviceAccountTokenCreator on it (--impersonate-service-account), or by the exchange of an outside \
         issuer's token at /v1/token",
    ))
}

fn policy(request: &Request<'_>) -> PolicyOf {
    PolicyOf::ServiceAccount(request.params.get("account").to_owned())
}

/// The display name and the description.
fn texts(account: Fields<'_>) -> Result<[String; 2], Status> {
    let bounds = [LONGEST_NAME, LONGEST_DESCRIPTION];
    let mut texts = [String::new(), String::new()];
    for ((field, bound), text) in FIELDS.into_iter().zip(bounds).zip(&mut texts) {
        *text = account.text(field)?.unwrap_or_default();
        if text.len() > bound {
            return Err(Status::invalid(format!(
                "the field `{field}` has {} bytes; expected at most {bound}",
                text.len()
            )));
        }
    }
    Ok(texts)
}

fn texts_of(record: &ServiceAccountRecord) -> Value {
    json!({ "displayName": record.display_name, "description": record.description })
}

fn shown(api: &Api, record: &ServiceAccountRecord) -> Value {
    json!({
        "name": full_name(api, &record.email),
        "projectId": api.project().id,
        "uniqueId": record.subject,
        "email": record.email,
        "displayName": record.display_name,
        "description": record.description,
        "disabled": record.is_disabled,
        "etag": etag_of(record),
        "oauth2ClientId": record.subject,
        "createTime": record.created,
    })
}

/// Differs for each state of the account.
fn etag_of(record: &ServiceAccountRecord) -> String {
    let state = json!([record.subject, texts_of(record), record.is_disabled]);
    let digest = sha256(state.to_string().as_bytes());
    STANDARD.encode(digest.bytes().take(ETAG).collect::<Vec<_>>())
}

fn full_name(api: &Api, email: &str) -> String {
    api.resource_name(&PolicyOf::ServiceAccount(email.to_owned()))
}

/// An error about an account, which it names in full.
pub(super) fn about_account(api: &Api, error: StoreError) -> Status {
    let name = match &error {
        StoreError::NoServiceAccount { email, .. } | StoreError::ServiceAccountExists(email) => {
            full_name(api, email)
        }
        _ => return error.into(),
    };
    Status::from(error).about(&name)
}

#[cfg(test)]
mod tests;
