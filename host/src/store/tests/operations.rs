//! Long-running operations, also those that were interrupted.

use jiff::{SignedDuration, Timestamp};

use super::{Scratch, name, settings, with};
use crate::store::{
    ApiGeneration, FunctionSettings, NewOperation, OperationOutcome, OperationRecord,
    OperationVerb, ServiceAccountRecord, Store, StoreError,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn new(verb: OperationVerb) -> NewOperation {
    NewOperation {
        target: "projects/p/locations/l/functions/a".into(),
        verb,
        generation: ApiGeneration::Second,
        principal: "user:owner@host.internal".into(),
    }
}

fn begin(store: &Store, verb: OperationVerb, second: i64) -> OperationRecord {
    store.begin_operation(new(verb), at(second)).unwrap()
}

fn done() -> OperationOutcome {
    OperationOutcome::Response("{}".into())
}

/// Gives a function this memory, and notes it.
fn noting(
    memory: u64,
) -> impl FnOnce(
    FunctionSettings,
    String,
    &[ServiceAccountRecord],
) -> Result<(FunctionSettings, String), String> {
    move |_, notes, _| Ok((settings(memory), format!("{notes}{memory}")))
}

/// Why the operation failed, if it did.
fn failure(store: &Store, id: &str) -> Option<(i32, String)> {
    match store.operation(id).unwrap().end {
        Some((_, OperationOutcome::Error { code, message })) => Some((code, message)),
        _ => None,
    }
}

#[test]
fn an_operation_is_there_until_it_ends_and_afterwards() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let verbs = [
        OperationVerb::Create,
        OperationVerb::Update,
        OperationVerb::Delete,
    ];
    for (verb, generation) in verbs.into_iter().zip([
        ApiGeneration::First,
        ApiGeneration::Second,
        ApiGeneration::First,
    ]) {
        let operation = NewOperation {
            generation,
            ..new(verb)
        };
        let begun = store.begin_operation(operation, at(1)).unwrap();
        assert_eq!(scratch.store().operation(&begun.id).unwrap(), begun);
        assert_eq!((begun.end, begun.deployed_revision), (None, None));
        let error = OperationOutcome::Error {
            code: 3,
            message: "no".into(),
        };
        let outcome = if verb == OperationVerb::Update {
            error
        } else {
            done()
        };
        store.end_operation(&begun.id, &outcome, at(2)).unwrap();
        let ended = scratch.store().operation(&begun.id).unwrap();
        assert_eq!(ended.end, Some((at(2), outcome)));
    }
}

#[test]
fn an_operation_ends_once() {
    let store = Store::in_memory().unwrap();
    let id = begin(&store, OperationVerb::Create, 1).id;
    store.end_operation(&id, &done(), at(2)).unwrap();
    let again = store.end_operation(&id, &done(), at(3)).unwrap_err();
    assert!(again.to_string().contains("has ended"), "{again}");
    let missing = "there is no operation `x`; operations are kept for seven days";
    let refused = store.end_operation("x", &done(), at(3)).unwrap_err();
    assert_eq!(refused.to_string(), missing);
    assert_eq!(store.operation("x").unwrap_err().to_string(), missing);
}

#[test]
fn operations_are_listed_in_pages_with_the_newest_first() {
    let store = Store::in_memory().unwrap();
    let begun: Vec<_> = (1..=3)
        .map(|second| begin(&store, OperationVerb::Create, second))
        .collect();
    let first = store.operations(2, None).unwrap();
    assert_eq!(first, [begun[2].clone(), begun[1].clone()]);
    let second = store.operations(2, Some(first[1].number)).unwrap();
    assert_eq!(second, begun[..1]);
}

#[test]
fn a_deploy_and_the_revision_of_its_operation_are_written_together() {
    let store = Store::in_memory().unwrap();
    let operation = begin(&store, OperationVerb::Create, 1);
    let failed = store.deploy_for_operation(&operation.id, &name("a"), Some(b"one"), |_, _, _| {
        Err("no".into())
    });
    assert_eq!(failed.unwrap_err().to_string(), "no");
    assert_eq!(store.operation(&operation.id).unwrap(), operation);
    let deployed = store.deploy_for_operation(&operation.id, &name("a"), Some(b"one"), noting(1));
    assert_eq!(deployed.unwrap(), store.function(&name("a")).unwrap());
    let update = begin(&store, OperationVerb::Update, 2);
    store
        .deploy_for_operation(&update.id, &name("a"), None, noting(2))
        .unwrap();
    let delete = begin(&store, OperationVerb::Delete, 3);
    store.delete_for_operation(&delete.id, &name("a")).unwrap();
    let revisions = [operation.id, update.id, delete.id]
        .map(|id| store.operation(&id).unwrap().deployed_revision);
    assert_eq!(revisions, [Some(1), Some(2), Some(2)]);
}

#[test]
fn a_function_is_created_once_and_updated_when_it_is_there() {
    let store = Store::in_memory().unwrap();
    let deploy = |verb, memory| {
        let id = begin(&store, verb, 1).id;
        store.deploy_for_operation(&id, &name("a"), Some(b"one"), noting(memory))
    };
    let early = deploy(OperationVerb::Update, 1);
    assert!(
        matches!(early, Err(StoreError::NoFunction { .. })),
        "{early:?}"
    );
    deploy(OperationVerb::Create, 2).unwrap();
    let again = deploy(OperationVerb::Create, 3);
    assert!(
        matches!(again, Err(StoreError::FunctionExists(_))),
        "{again:?}"
    );
    deploy(OperationVerb::Update, 4).unwrap();
    // What has failed has noted nothing.
    assert_eq!(store.function_notes(&name("a")).unwrap(), "{}24");
    assert_eq!(store.function_notes(&name("b")).unwrap(), "{}");
}

#[test]
fn an_operation_that_does_not_run_changes_nothing() {
    let store = Store::in_memory().unwrap();
    store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    let before = store.function(&name("a")).unwrap();
    let ended = begin(&store, OperationVerb::Update, 1).id;
    store.end_operation(&ended, &done(), at(2)).unwrap();
    for id in [&*ended, "missing"] {
        let deployed = store.deploy_for_operation(id, &name("a"), Some(b"two"), noting(2));
        assert!(
            matches!(deployed, Err(StoreError::Operation(_))),
            "{deployed:?}"
        );
        let deleted = store.delete_for_operation(id, &name("a"));
        assert!(
            matches!(deleted, Err(StoreError::Operation(_))),
            "{deleted:?}"
        );
        assert_eq!(store.function(&name("a")).unwrap(), before);
    }
    let once = begin(&store, OperationVerb::Update, 3).id;
    store
        .deploy_for_operation(&once, &name("a"), None, noting(2))
        .unwrap();
    let twice = store.deploy_for_operation(&once, &name("a"), None, noting(3));
    assert!(matches!(twice, Err(StoreError::Operation(_))), "{twice:?}");
}

#[test]
fn an_interrupted_operation_has_failed_if_it_changed_nothing_and_goes_on_if_it_did() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let [create, committed, delete] = [
        OperationVerb::Create,
        OperationVerb::Create,
        OperationVerb::Delete,
    ]
    .map(|verb| begin(&store, verb, 1).id);
    store
        .deploy_for_operation(&committed, &name("a"), Some(b"one"), noting(1))
        .unwrap();
    // The process is gone, and another one begins.
    drop(store);
    let store = scratch.store();
    assert_eq!(store.abort_interrupted_operations(at(2)).unwrap(), 2);
    let expected =
        "the host ended before the function was deployed; nothing was changed; deploy again";
    assert_eq!(failure(&store, &create), Some((10, expected.into())));
    let expected =
        "the host ended before the function was deleted; nothing was changed; delete it again";
    assert_eq!(failure(&store, &delete), Some((10, expected.into())));
    let interrupted = store.interrupted_operations().unwrap();
    assert_eq!(interrupted, [store.operation(&committed).unwrap()]);
    assert_eq!(interrupted[0].deployed_revision, Some(1));
    store.end_operation(&committed, &done(), at(3)).unwrap();
    assert_eq!(store.interrupted_operations().unwrap(), []);
    // Whoever still has one of those that failed deploys nothing by it.
    let late = store.deploy_for_operation(&create, &name("b"), Some(b"one"), noting(1));
    assert!(matches!(late, Err(StoreError::Operation(_))), "{late:?}");
    assert!(store.function(&name("b")).is_err());
}

/// Begins and ends as many operations as this, at this second.
fn end_many(scratch: &Scratch, count: u32, second: i64) {
    let insert = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
                  INSERT INTO operations (id, target, verb, generation, principal, created, ended, response)
                  SELECT ?2 || '-' || n, 't', 'create', 1, 'p', ?3, ?3, '{}' FROM numbers";
    let database = scratch.database();
    database
        .execute(
            insert,
            rusqlite::params![count, second, at(second).as_microsecond()],
        )
        .unwrap();
}

#[test]
fn old_operations_are_removed_beyond_a_thousand_and_young_ones_beyond_ten_thousand() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let count = || store.operations(usize::MAX, None).unwrap().len();
    let running = begin(&store, OperationVerb::Create, 0).id;
    end_many(&scratch, 1500, 1);
    begin(&store, OperationVerb::Create, 2);
    assert_eq!(count(), 1502);
    let late = at(2) + SignedDuration::from_hours(7 * 24);
    store
        .begin_operation(new(OperationVerb::Create), late)
        .unwrap();
    assert_eq!(count(), 1001, "a thousand and one that runs");
    end_many(&scratch, 10_000, late.as_second());
    store
        .begin_operation(new(OperationVerb::Create), late)
        .unwrap();
    assert_eq!(count(), 10_003, "ten thousand and three that run");
    assert_eq!(store.operation(&running).unwrap().end, None);
}
