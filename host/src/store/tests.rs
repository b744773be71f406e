mod damage;
mod files;
mod jobs;
mod keyvalue;
mod migrations;
mod operations;
mod rights;
mod serving;
mod uploads;
mod watch;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use host_tokens::{Revocation, RevokedKind};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    Declaration, FunctionName, FunctionSettings, SigningKeyRecord, Store, StoreError, sha256,
};

/// A directory of a test's own.
struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn store(&self) -> Store {
        Store::open(self.path()).unwrap()
    }

    /// The database, as another program would open it.
    fn database(&self) -> Connection {
        Connection::open(self.file("host.db")).unwrap()
    }

    fn components(&self) -> u32 {
        self.database()
            .query_row("SELECT count(*) FROM components", [], |row| row.get(0))
            .unwrap()
    }

    fn mode(&self, file: &str) -> u32 {
        let metadata = fs::metadata(self.file(file)).unwrap();
        metadata.permissions().mode() & 0o777
    }
}

fn name(text: &str) -> FunctionName {
    text.parse().unwrap()
}

/// Makes any settings those with this memory.
fn with(memory: u64) -> impl FnOnce(FunctionSettings) -> Result<FunctionSettings, String> {
    move |_| Ok(settings(memory))
}

fn settings(memory: u64) -> FunctionSettings {
    FunctionSettings {
        memory,
        ..FunctionSettings::default()
    }
}

fn declaration(name_: &str, wasm: &[u8]) -> Declaration {
    Declaration {
        name: name(name_),
        component: sha256(wasm),
        wasm: Some(wasm.to_vec().into()),
        settings: settings(1),
    }
}

fn names(store: &Store) -> Vec<String> {
    let functions = store.functions().unwrap().into_iter();
    functions
        .map(|function| function.name.to_string())
        .collect()
}

#[test]
fn what_was_deployed_is_there_when_the_store_is_opened_again() {
    let scratch = Scratch::new();
    let deployed = scratch
        .store()
        .deploy(&name("a"), Some(b"wasm"), with(1))
        .unwrap();
    let store = scratch.store();
    assert_eq!(store.function(&name("a")).unwrap(), deployed);
    assert_eq!(deployed.revision, 1);
    let component = store.component(&deployed.component).unwrap();
    assert_eq!(component.as_deref(), Some(&b"wasm"[..]));
}

#[test]
fn each_deployment_is_a_revision_and_leaves_no_old_component() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let first = store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    let second = store.deploy(&name("a"), Some(b"two"), with(1)).unwrap();
    assert_eq!((second.revision, second.created), (2, first.created));
    assert_ne!(second.updated, first.updated);
    assert_eq!(scratch.components(), 1);
}

#[test]
fn settings_may_change_while_the_component_stays() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let before = store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    let after = store.deploy(&name("a"), None, with(2)).unwrap();
    assert_eq!(after.component, before.component);
    assert_eq!(after.settings, settings(2));
}

#[test]
fn a_change_begins_with_what_is_there() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.deploy(&name("a"), Some(b"one"), with(7)).unwrap();
    let changed = store.change_function_policy(&name("a"), |record, bindings, _| {
        record.settings.allow_unauthenticated = true;
        Ok::<_, StoreError>(bindings)
    });
    let (changed, _) = changed.unwrap();
    assert_eq!((changed.revision, changed.settings.memory), (1, 7));
    let deployed = store.deploy(&name("a"), Some(b"two"), Ok).unwrap();
    assert_eq!(deployed.settings, changed.settings);
    let failed = store.deploy(&name("a"), None, |_| Err("no".into()));
    assert_eq!(failed.unwrap_err().to_string(), "no");
    assert_eq!(store.function(&name("a")).unwrap(), deployed);
}

#[test]
fn a_component_goes_with_the_last_function_that_runs_it() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for function in ["a", "b"] {
        store
            .deploy(&name(function), Some(b"one"), with(1))
            .unwrap();
    }
    store.delete(&name("a")).unwrap();
    assert_eq!((names(&store), scratch.components()), (vec!["b".into()], 1));
    store.delete(&name("b")).unwrap();
    assert_eq!(scratch.components(), 0);
}

#[test]
fn a_function_that_is_not_there_is_told_with_the_nearest_that_is() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .deploy(&name("hello_world"), Some(b"one"), with(1))
        .unwrap();
    for error in [
        store.function(&name("helo_world")).unwrap_err(),
        store.delete(&name("helo_world")).unwrap_err(),
        store
            .deploy(&name("helo_world"), None, with(1))
            .unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "there is no function `helo_world`; did you mean `hello_world`?"
        );
    }
}

#[test]
fn a_file_declares_all_of_its_functions_and_no_others() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .deploy(&name("deployed"), Some(b"one"), with(1))
        .unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| declaration(name, b"two"));
    store.declare("f", &[a.clone(), b.clone()]).unwrap();
    store.declare("f", &[b, c]).unwrap();
    assert_eq!(names(&store), ["b", "c", "deployed"]);
    store.declare("", &[]).unwrap();
    assert_eq!(names(&store), ["deployed"]);
}

#[test]
fn what_is_declared_again_as_it_is_stays_as_it_is() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut a = declaration("a", b"one");
    store.declare("f", &[a.clone()]).unwrap();
    let before = store.function(&name("a")).unwrap();
    a.wasm = None;
    store.declare("f", &[a.clone()]).unwrap();
    assert_eq!(store.function(&name("a")).unwrap(), before);
    a.settings = settings(2);
    store.declare("f", &[a]).unwrap();
    assert_eq!(store.function(&name("a")).unwrap().revision, 2);
}

#[test]
fn commands_do_not_change_what_a_file_declares_nor_the_other_way_round() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .declare("/etc/host.toml", &[declaration("a", b"one")])
        .unwrap();
    for error in [
        store.delete(&name("a")).unwrap_err(),
        store.deploy(&name("a"), Some(b"two"), with(1)).unwrap_err(),
    ] {
        let expected = "the function `a` is declared in /etc/host.toml; change it there";
        assert_eq!(error.to_string(), expected);
    }
    store.deploy(&name("b"), Some(b"one"), with(1)).unwrap();
    let both = ["b", "c"].map(|name| declaration(name, b"one"));
    let refused = store.declare("/etc/host.toml", &both);
    assert!(
        matches!(refused, Err(StoreError::Deployed(_))),
        "{refused:?}"
    );
    assert_eq!(names(&store), ["a", "b"], "all of it or nothing");
}

#[test]
fn a_host_name_leads_to_one_function() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let named = |settings: FunctionSettings| {
        Ok(FunctionSettings {
            hosts: vec!["a.example".into()],
            ..settings
        })
    };
    store.deploy(&name("a"), Some(b"one"), named).unwrap();
    store.deploy(&name("a"), Some(b"two"), named).unwrap();
    let refused = store.deploy(&name("b"), Some(b"one"), named).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the host name a.example leads to the function `a` already"
    );
}

#[test]
fn a_host_name_moves_between_declared_functions() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let with_host = |name: &str, host: &str| {
        let mut declaration = declaration(name, b"one");
        declaration.settings.hosts = vec![host.into()];
        declaration
    };
    let declare = |declarations: &[Declaration]| store.declare("f", declarations);
    let host_of = |function: &str| store.function(&name(function)).unwrap().settings.hosts;
    declare(&[with_host("a", "x.example"), with_host("b", "y.example")]).unwrap();
    declare(&[with_host("a", "y.example"), with_host("b", "x.example")]).unwrap();
    assert_eq!(host_of("a"), ["y.example"], "two were swapped");
    declare(&[with_host("renamed", "y.example")]).unwrap();
    assert_eq!(host_of("renamed"), ["y.example"]);
    let taken = |settings| {
        Ok(FunctionSettings {
            hosts: vec!["z.example".into()],
            ..settings
        })
    };
    store
        .deploy(&name("deployed"), Some(b"one"), taken)
        .unwrap();
    let refused = declare(&[with_host("a", "z.example")]).unwrap_err();
    let expected = "the host name z.example leads to the function `deployed` already";
    assert_eq!(refused.to_string(), expected);
    assert_eq!(host_of("renamed"), ["y.example"], "nothing was changed");
}

#[test]
fn a_change_shows_in_the_version_whoever_made_it() {
    let scratch = Scratch::new();
    let (one, other) = (scratch.store(), scratch.store());
    for store in [&one, &other] {
        let before = one.version().unwrap();
        assert_eq!(one.version().unwrap(), before);
        store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
        assert_ne!(one.version().unwrap(), before);
    }
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let version = |version: u32| {
        scratch
            .database()
            .pragma_update(None, "user_version", version)
    };
    version(1000).unwrap();
    let refused = Store::open(scratch.path()).unwrap_err().to_string();
    assert!(refused.contains("has version 1000"), "{refused}");
    assert!(refused.contains("use the newer program"), "{refused}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.store());
    for foreign in ["PRAGMA application_id = 1", "PRAGMA application_id = 0"] {
        scratch.database().execute_batch(foreign).unwrap();
        let refused = Store::open(scratch.path()).unwrap_err();
        assert!(matches!(refused, StoreError::Foreign(_)), "{refused}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let path = scratch.file("host.db");
    let text = "a letter of some length ".repeat(100);
    fs::write(&path, &text).unwrap();
    let refused = Store::open(scratch.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Foreign(_)), "{refused}");
    assert_eq!(fs::read_to_string(path).unwrap(), text);
}

#[test]
fn a_service_account_is_named_once_and_found_by_a_name_alike() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let email = "caller@host.internal";
    let created = store.create_service_account(email, "1", "Caller").unwrap();
    assert_eq!(store.service_account(email).unwrap(), created);
    let again = store.create_service_account(email, "2", "");
    assert!(matches!(again, Err(StoreError::ServiceAccountExists(_))));
    let missed = store.service_account("calller@host.internal").unwrap_err();
    assert_eq!(
        missed.to_string(),
        "there is no service account calller@host.internal; did you mean `caller@host.internal`?"
    );
    store.delete_service_account(email).unwrap();
    assert!(store.delete_service_account(email).is_err());
    assert_eq!(store.service_accounts().unwrap(), []);
}

#[test]
fn a_service_account_is_changed_beside_its_address_or_not_at_all() {
    let store = Store::in_memory().unwrap();
    let email = "caller@host.internal";
    let created = store.create_described_account(email, "1", "Caller", "calls");
    assert_eq!(created.unwrap().description, "calls");
    let changed = store.change_service_account(email, |account| {
        account.is_disabled = true;
        account.description = String::new();
        Ok::<_, StoreError>(())
    });
    assert_eq!(store.service_account(email).unwrap(), changed.unwrap());
    let failed = store.change_service_account(email, |account| {
        account.is_disabled = false;
        Err(StoreError::Settings("no".into()))
    });
    assert!(failed.is_err());
    assert!(store.service_account(email).unwrap().is_disabled);
    let missed = store.change_service_account("other@host.internal", |_| Ok::<_, StoreError>(()));
    assert!(matches!(missed, Err(StoreError::NoServiceAccount { .. })));
}

#[test]
fn keys_are_changed_all_together_or_not_at_all() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let key = |id: &str| SigningKeyRecord {
        id: id.into(),
        algorithm: "RS256".into(),
        pkcs8: b"secret".to_vec(),
        published: 1,
        signing: Some(1),
        retired: None,
    };
    let put = |id: &'static str| {
        move |keys: &mut Vec<SigningKeyRecord>| {
            keys.push(key(id));
            Ok::<_, StoreError>(())
        }
    };
    store.change_signing_keys(put("a")).unwrap();
    let failed = store.change_signing_keys(|keys| {
        keys.clear();
        Err(StoreError::Settings("no".into()))
    });
    assert!(failed.is_err());
    assert_eq!(store.signing_keys().unwrap(), [key("a")]);
    assert!(!format!("{:?}", key("a")).contains("secret"));
}

#[test]
fn a_revocation_stands_once() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let revocation = Revocation {
        issuer: "https://a.example".into(),
        kind: RevokedKind::Subject,
        value: "1".into(),
    };
    store.revoke(&revocation).unwrap();
    store.revoke(&revocation).unwrap();
    assert_eq!(store.revocations().unwrap(), [revocation]);
}
