//! Policies as clients see them: who has which role on a resource.
//!
//! <https://cloud.google.com/iam/docs/reference/rest/v1/Policy>. Changed by reading, changing and writing back with the
//! etag that was read.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use host_tokens::Member;
use serde_json::{Value, json};

use super::Status;
use super::fields::Fields;
use super::role::{ROLES, Role};
use super::status::Code;
use crate::identity::accounts_of;
use crate::store::{Bindings, ServiceAccountRecord, StoreError, sha256};

/// The most members that a policy may have in all.
const MOST_MEMBERS: usize = 1500;
/// How many hexadecimal digits of the digest an etag has: those of 16 bytes.
const ETAG: usize = 32;

/// A policy that a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedPolicy {
    /// Who is to have which role.
    pub(crate) bindings: Bindings,
    /// The etag of the policy that it was made from; without one it takes the place of whatever there is.
    etag: Option<Vec<u8>>,
}

impl WantedPolicy {
    /// Reads `policy` of a request to set it.
    ///
    /// # Errors
    /// If a role or a member is not known, a field is of another type, or it has conditions or too many members.
    pub(crate) fn read(body: &Value) -> Result<Self, Status> {
        let policy = body
            .get("policy")
            .filter(|policy| policy.is_object())
            .ok_or_else(|| Status::invalid("the body has no `policy`"))?;
        let etag = Fields::of(policy).bytes("etag")?;
        let mut bindings = Bindings::new();
        for binding in items(policy, "bindings")? {
            let (role, members) = read_binding(binding)?;
            bindings.entry(role).or_default().extend(members);
        }
        bindings.retain(|_, members| !members.is_empty());
        let count: usize = bindings.values().map(BTreeSet::len).sum();
        if count > MOST_MEMBERS {
            return Err(Status::invalid(format!(
                "the policy has {count} members; expected at most {MOST_MEMBERS}"
            )));
        }
        Ok(Self {
            bindings,
            // Protobuf has no absent bytes.
            etag: etag.filter(|etag| !etag.is_empty()),
        })
    }

    /// Makes sure that it was made from `present`, the policy of `resource` as it is.
    ///
    /// # Errors
    /// If it was made from another one.
    pub(crate) fn check_etag(&self, resource: &str, present: &Bindings) -> Result<(), Status> {
        match &self.etag {
            Some(etag) if *etag != etag_of(present) => {
                Err(StoreError::PolicyChanged(resource.to_owned()).into())
            }
            _ => Ok(()),
        }
    }
}

/// Makes sure that there is, or could be, everybody who is named in `after` and was not in `before`.
///
/// # Errors
/// If a service account is not there, or a member could be nobody.
pub(crate) fn check_members(
    before: &Bindings,
    after: &Bindings,
    accounts: &[ServiceAccountRecord],
) -> Result<(), Status> {
    let known: BTreeSet<&String> = before.values().flatten().collect();
    let own = accounts_of(accounts.to_vec());
    for text in after.values().flatten() {
        if known.contains(text) {
            continue;
        }
        let member: Member = text
            .parse()
            .map_err(|error| Status::invalid(format!("{error}")))?;
        if let Member::ServiceAccount(email) = &member
            && !accounts.iter().any(|account| account.email == **email)
        {
            let error = StoreError::no_service_account(email, accounts);
            return Err(Status::invalid(error.to_string()));
        }
        member
            .check(&own)
            .map_err(|error| Status::invalid(error.to_string()))?;
    }
    Ok(())
}

/// The list in `field`. What is of another type is not read as empty: that would take everything away.
fn items<'a>(document: &'a Value, field: &str) -> Result<&'a [Value], Status> {
    match document.get(field) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Status::invalid(format!(
            "the field `{field}` of the policy is not a list"
        ))),
    }
}

/// The policy with these bindings, as it is answered.
pub(crate) fn shown(bindings: &Bindings) -> Value {
    let etag = STANDARD.encode(etag_of(bindings));
    let mut policy = json!({ "version": 1, "etag": etag });
    let bindings: Vec<Value> = bindings
        .iter()
        .map(|(role, members)| json!({ "role": role, "members": members }))
        .collect();
    if !bindings.is_empty() {
        policy["bindings"] = json!(bindings);
    }
    policy
}

/// Differs for each policy.
fn etag_of(bindings: &Bindings) -> Vec<u8> {
    let text = serde_json::to_string(bindings).unwrap_or_default();
    let digest = sha256(text.as_bytes());
    digest.into_bytes().into_iter().take(ETAG).collect()
}

fn read_binding(binding: &Value) -> Result<(String, BTreeSet<String>), Status> {
    let role = binding.get("role").and_then(Value::as_str);
    let role = role.ok_or_else(|| Status::invalid("a binding of the policy has no `role`"))?;
    if Role::named(role).is_none() {
        let names: Vec<&str> = ROLES.iter().map(|role| role.name).collect();
        return Err(Status::invalid(format!(
            "the role `{role}` is not known; expected one of {}",
            names.join(", ")
        )));
    }
    if binding
        .get("condition")
        .is_some_and(|condition| !condition.is_null())
    {
        return Err(Status::new(
            Code::InvalidArgument,
            format!(
                "the binding of {role} has a condition; this host has none, so leave it out (--condition=None)"
            ),
        ));
    }
    let members = items(binding, "members")?.iter().map(|member| {
        let text = member.as_str().map(str::to_owned);
        text.ok_or_else(|| Status::invalid(format!("a member of {role} is no text")))
    });
    Ok((role.to_owned(), members.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(policy: Value) -> Result<WantedPolicy, Status> {
        WantedPolicy::read(&json!({ "policy": policy }))
    }

    fn bindings() -> Bindings {
        let members = BTreeSet::from(["user:a@example.com".to_owned()]);
        Bindings::from([("roles/viewer".to_owned(), members)])
    }

    #[test]
    fn what_was_read_can_be_written_back_until_somebody_else_has_written() {
        let policy = read(shown(&bindings())).unwrap();
        assert_eq!(policy.bindings, bindings());
        assert_eq!(policy.check_etag("r", &bindings()), Ok(()));
        let error = policy.check_etag("r", &Bindings::new()).unwrap_err();
        assert_eq!(error.code, Code::Aborted);
        // Who sends no etag has read nothing.
        let blind = read(json!({})).unwrap();
        assert_eq!(blind.check_etag("r", &bindings()), Ok(()));
        let empty = read(json!({ "etag": "" })).unwrap();
        assert_eq!(empty.check_etag("r", &bindings()), Ok(()));
    }

    #[test]
    fn bindings_of_one_role_are_one_and_empty_ones_are_none() {
        let policy = read(json!({ "bindings": [
            { "role": "roles/viewer", "members": ["user:a@example.com"] },
            { "role": "roles/viewer", "members": ["user:b@example.com"] },
            { "role": "roles/editor", "members": [] },
        ]}));
        let bindings = policy.unwrap().bindings;
        assert_eq!(bindings.len(), 1);
        assert_eq!(bindings["roles/viewer"].len(), 2);
    }

    #[test]
    fn what_is_no_list_takes_nobody_away() {
        let role = |members: Value| json!([{ "role": "roles/viewer", "members": members }]);
        for bindings in [json!({}), json!("x"), role(json!("user:a@example.com"))] {
            let refused = read(json!({ "bindings": bindings })).unwrap_err();
            assert!(refused.message.contains("not a list"), "{refused}");
        }
        for none in [json!(null), json!([]), role(json!(null))] {
            let policy = read(json!({ "bindings": none })).unwrap();
            assert_eq!(policy.bindings, Bindings::new());
        }
    }

    #[test]
    fn unknown_roles_members_and_conditions_are_refused() {
        for binding in [
            json!({ "role": "roles/none", "members": [] }),
            json!({ "members": ["user:a@example.com"] }),
            json!({ "role": "roles/viewer", "members": [7] }),
            json!({ "role": "roles/viewer", "members": [], "condition": { "title": "t" } }),
        ] {
            assert!(read(json!({ "bindings": [binding] })).is_err(), "{binding}");
        }
        assert!(read(json!({ "etag": "*" })).is_err());
        let members: Vec<String> = (0..=MOST_MEMBERS)
            .map(|n| format!("user:{n}@x.example"))
            .collect();
        let many = json!({ "bindings": [{ "role": "roles/viewer", "members": members }] });
        assert!(read(many).unwrap_err().message.contains("at most"));
        for member in [
            "group:a@example.com",
            "serviceAccount:none@host.internal",
            "x",
        ] {
            let policy =
                read(json!({ "bindings": [{ "role": "roles/viewer", "members": [member] }] }));
            let wanted = policy.unwrap().bindings;
            assert!(
                check_members(&Bindings::new(), &wanted, &[]).is_err(),
                "{member}"
            );
            // One who is there already may stay, whoever it is by now.
            assert_eq!(check_members(&wanted, &wanted, &[]), Ok(()));
        }
    }
}
