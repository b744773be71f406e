//! Records that are not what this program writes.

use host_tokens::ANY_ISSUER;

use super::*;
use crate::store::{JobBatch, JobName, JobSettings};

/// Makes the settings of this record unreadable.
fn damage(scratch: &Scratch, table: &str, name: &str) {
    let damage = format!("UPDATE {table} SET settings = '{{broken' WHERE name = ?");
    assert_eq!(scratch.database().execute(&damage, [name]).unwrap(), 1);
}

#[test]
fn a_damaged_function_is_closed_and_nothing_else_is_blocked() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for function in ["a", "b"] {
        let deployed = store.deploy(&name(function), Some(b"wasm"), |mut settings| {
            settings
                .invokers
                .insert("serviceAccount:x@host.internal".into());
            Ok(settings)
        });
        deployed.unwrap();
    }
    store
        .create_service_account("x@host.internal", "1", "")
        .unwrap();
    damage(&scratch, "functions", "a");
    let all = store.functions().unwrap();
    assert!(all[0].damage.is_some() && all[1].damage.is_none());
    assert!(all[0].settings.lets_nobody_in());
    assert!(matches!(
        all[0].check(),
        Err(StoreError::DamagedFunction { .. })
    ));
    // It is not written over by what changes a part of it.
    let changed = store.change_function_policy(&name("a"), |_, bindings, _| Ok(bindings));
    assert!(matches!(changed, Err(StoreError::DamagedFunction { .. })));
    let kept = store.deploy(&name("a"), None, Ok);
    assert!(matches!(kept, Err(StoreError::DamagedFunction { .. })));
    let changed = store.delete_service_account("x@host.internal").unwrap();
    assert_eq!(changed.len(), 1);
    assert!(
        store
            .function(&name("b"))
            .unwrap()
            .settings
            .lets_nobody_in()
    );
    let hosts = FunctionSettings {
        hosts: vec!["b.example".into()],
        ..settings(1)
    };
    store.deploy(&name("b"), None, |_| Ok(hosts)).unwrap();
    let anew = store.deploy(&name("a"), Some(b"other"), Ok).unwrap();
    assert_eq!(anew.damage, None);
    damage(&scratch, "functions", "a");
    store.delete(&name("a")).unwrap();
    assert_eq!(names(&store), ["b"]);
}

#[test]
fn a_declared_function_that_is_damaged_is_made_anew_by_its_file() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.declare("f", &[declaration("a", b"wasm")]).unwrap();
    damage(&scratch, "functions", "a");
    store.declare("f", &[declaration("a", b"wasm")]).unwrap();
    assert_eq!(store.functions().unwrap()[0].damage, None);
}

#[test]
fn other_damage_is_that_of_its_record_alone() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for function in ["a", "b", "c"] {
        store
            .deploy(&name(function), Some(b"wasm"), with(1))
            .unwrap();
    }
    let database = scratch.database();
    database
        .execute_batch(
            "UPDATE functions SET name = 'no name!' WHERE name = 'a';
             UPDATE functions SET revision = -1, created = CAST(x'ff' AS TEXT) WHERE name = 'b';
             UPDATE functions SET settings = CAST(x'ff' AS TEXT) WHERE name = 'c';",
        )
        .unwrap();
    let all = store.functions().unwrap();
    assert_eq!(names(&store), ["b", "c"]);
    assert!(all[0].damage.is_none() && all[1].damage.is_some());
    database
        .execute_batch(
            "INSERT INTO service_accounts (email, subject, display_name, created) VALUES (CAST(x'ff' AS TEXT), '1', '', ''), ('x@y', '2', '', '');
             INSERT INTO revocations VALUES (CAST(x'ff' AS TEXT), 'subject', '1', ''), ('', 'subject', '2', ''),
                 ('a', 'key', CAST(x'ff' AS TEXT), '');
             INSERT INTO serving_host (id, pid, url, public_urls, issuer, started, issuers, component)
             VALUES (1, 1, 'http://a', '{', 'http://b', '', '[', '}');",
        )
        .unwrap();
    assert_eq!(store.service_accounts().unwrap().len(), 2);
    let revocations = store.revocations().unwrap();
    let of = |revocation: &Revocation| (revocation.issuer.clone(), revocation.kind);
    let revoked: Vec<_> = revocations.iter().map(of).collect();
    let unreadable = |issuer: &str| (issuer.to_owned(), RevokedKind::Unreadable);
    let expected = [
        (String::new(), RevokedKind::Subject),
        unreadable("a"),
        unreadable(ANY_ISSUER),
    ];
    assert_eq!(
        revoked, expected,
        "what cannot be read revokes all that it may be about"
    );
    assert!(
        store.dated_revocations().is_err(),
        "none is lost on the way to another store"
    );
    assert_eq!(store.serving_host().unwrap().unwrap().issuer, "http://b");
}

#[test]
fn a_damaged_job_is_shown_and_deleted_and_keeps_no_other_from_running() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let job = |text: &str| -> JobName { text.parse().unwrap() };
    let settings = JobSettings {
        schedule: "* * * * *".into(),
        uri: "http://127.0.0.1/".into(),
        ..JobSettings::default()
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    for one in ["a", "b"] {
        store.create_job(&job(one), &settings, now).unwrap();
    }
    damage(&scratch, "jobs", "a");
    let all = store.jobs().unwrap();
    assert!(all[0].damage.is_some() && all[1].damage.is_none());
    let changed = store.write_jobs(|ledger| ledger.changed_jobs(10));
    assert_eq!(changed.unwrap().jobs.len(), 2);
    let changed = store.change_job(&job("a"), now, |_| Ok(()));
    assert!(matches!(changed, Err(StoreError::DamagedJob { .. })));
    store.delete_job(&job("a")).unwrap();
    assert_eq!(store.jobs().unwrap().len(), 1);
}

#[test]
fn jobs_without_a_name_count_as_read_and_are_not_read_again() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let now = jiff::Timestamp::UNIX_EPOCH;
    for one in ["a", "b", "c"] {
        let settings = JobSettings::default();
        store
            .create_job(&one.parse().unwrap(), &settings, now)
            .unwrap();
    }
    let database = scratch.database();
    database
        .execute_batch("UPDATE jobs SET name = id || ' is no name!', next_look = -id WHERE id < 3")
        .unwrap();
    let changed = || store.write_jobs(|ledger| ledger.changed_jobs(2)).unwrap();
    let due = || store.write_jobs(|ledger| ledger.due_jobs(now, 2)).unwrap();
    let unnamed = |read| JobBatch { jobs: vec![], read };
    assert_eq!(changed(), unnamed(2));
    assert_eq!(changed().read, 1);
    let changes = "SELECT count(*) FROM job_changes";
    let changes: u32 = database.query_row(changes, [], |row| row.get(0)).unwrap();
    assert_eq!(changes, 1);
    assert_eq!(due(), unnamed(2));
    assert_eq!(due(), unnamed(0));
    // Somebody may have given them a name by the next start.
    store.write_jobs(|ledger| ledger.look_at_all(now)).unwrap();
    assert_eq!(due(), unnamed(2));
    assert_eq!(due().jobs.len(), 1);
}
