//! Methods as tests call them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use host_tokens::Member;
use serde_json::Value;

use super::{Api, AuditEntry, Call, Caller, Principal, Reply, Status};
use crate::store::{PolicyOf, Store};

/// Whom [`Scratch::user`] calls as.
pub(super) const USER: &str = "user:ada@example.com";

/// The methods on a store of a test's own.
pub(super) struct Scratch {
    pub(super) api: Api,
    audit: Arc<Mutex<Vec<AuditEntry>>>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        let audit = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&audit);
        let store = Arc::new(Store::in_memory().unwrap());
        let note = Box::new(move |entry| kept.lock().unwrap().push(entry));
        Self {
            api: Api::new(store, note).unwrap(),
            audit,
        }
    }

    pub(super) fn store(&self) -> &Store {
        self.api.store()
    }

    /// Calls `method`, such as `GET /v1/projects?pageSize=1`, as the owner.
    pub(super) fn owner(&self, method: &str, body: Value) -> Result<Value, Status> {
        self.call(Principal::Owner, method, body)
    }

    /// As [`owner`](Self::owner), as somebody who may do nothing until they are granted a role.
    pub(super) fn user(&self, method: &str, body: Value) -> Result<Value, Status> {
        self.call(user(), method, body)
    }

    fn call(&self, principal: Principal, method: &str, body: Value) -> Result<Value, Status> {
        let (verb, target) = method.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let caller = Caller {
            principal,
            ..Caller::owner()
        };
        let call = Call {
            verb,
            path,
            query,
            body: Bytes::from(body.to_string()),
            origin: "http://127.0.0.1:8081".into(),
            is_own_client: false,
        };
        match self.api.call(&caller, call)? {
            Reply::Json(document) => Ok(document),
            Reply::File(..) | Reply::Stream(_) => panic!("not a document"),
        }
    }

    /// Gives the user of [`user`](Self::user) a role, beside those that they have.
    pub(super) fn grant(&self, role: &str, of: &PolicyOf) {
        let grant = |bindings: &mut crate::store::Bindings| {
            bindings
                .entry(role.to_owned())
                .or_default()
                .insert(USER.to_owned());
        };
        if let PolicyOf::Function(name) = of {
            let granted = self
                .store()
                .change_function_policy(name, |_, mut bindings, _| {
                    grant(&mut bindings);
                    Ok::<_, Status>(bindings)
                });
            granted.unwrap();
            return;
        }
        let granted = self.store().change_policy(of, |mut bindings, _| {
            grant(&mut bindings);
            Ok::<_, Status>(bindings)
        });
        granted.unwrap();
    }

    /// The audit entries so far, which are forgotten.
    pub(super) fn audited(&self) -> Vec<String> {
        let entries = std::mem::take(&mut *self.audit.lock().unwrap());
        entries.into_iter().map(|entry| entry.summary).collect()
    }
}

/// Somebody whom an outside issuer knows by the address in [`USER`].
pub(super) fn user() -> Principal {
    let Ok(Member::Principal(principal)) = "principal:https://id.example#ada".parse() else {
        panic!("not a principal");
    };
    Principal::Outside {
        principal,
        email: "ada@example.com".parse().ok(),
    }
}
