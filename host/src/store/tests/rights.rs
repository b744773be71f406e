//! Rights that a file takes away, and revocations of another store.

use super::*;
use crate::store::Rights;

#[test]
fn a_file_takes_away_what_it_gave_and_nothing_that_was_deployed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let open = |function: &str| {
        let mut declaration = declaration(function, b"wasm");
        declaration.settings.allow_unauthenticated = true;
        declaration
    };
    store
        .declare("f", &[open("gone"), open("kept"), open("private")])
        .unwrap();
    store
        .deploy(&name("deployed"), Some(b"wasm"), with(1))
        .unwrap();
    let rights = |is_open| Rights {
        allow_unauthenticated: is_open,
        ..Rights::default()
    };
    let file = [
        (name("kept"), rights(true)),
        (name("private"), rights(false)),
    ];
    let taken = store.tighten(&file.clone().into()).unwrap();
    let gone: Vec<_> = taken
        .iter()
        .map(|one| (one.name.as_str(), one.after.is_some()))
        .collect();
    assert_eq!(gone, [("gone", false), ("private", true)]);
    assert_eq!(names(&store), ["deployed", "kept", "private"]);
    assert!(
        store
            .function(&name("private"))
            .unwrap()
            .settings
            .lets_nobody_in()
    );
    assert_eq!(store.tighten(&file.into()).unwrap(), []);
}

#[test]
fn revocations_of_another_store_are_kept_once_with_their_time() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (one, other) = (one.store(), other.store());
    let revoke = |store: &Store, value: &str| {
        let revocation = Revocation {
            issuer: String::new(),
            kind: RevokedKind::Subject,
            value: value.into(),
        };
        store.revoke(&revocation).unwrap();
    };
    revoke(&one, "1");
    revoke(&other, "1");
    revoke(&other, "2");
    let dated = other.dated_revocations().unwrap();
    let added = one.keep_revocations(&dated).unwrap();
    assert_eq!(added, dated[1..]);
    assert_eq!(one.keep_revocations(&dated).unwrap(), []);
    assert_eq!(one.revocations().unwrap().len(), 2);
}
