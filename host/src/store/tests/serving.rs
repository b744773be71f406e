//! Who serves from a store, and what of it.

use super::super::{NamedIssuer, ServedComponent, ServedFunction, ServingHost};
use super::{Scratch, name};

#[test]
fn what_the_host_made_of_a_function_goes_with_it() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let a = name("a");
    let served = ServedFunction {
        updated: "now".into(),
        problem: None,
    };
    store.note_served([(&a, Some(&served))]).unwrap();
    assert_eq!(store.served(&a).unwrap(), Some(served));
    store.note_served([(&a, None)]).unwrap();
    assert_eq!(store.served(&a).unwrap(), None);
}

#[test]
fn a_host_that_serves_no_functions_is_told_from_one_that_does() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut host = ServingHost {
        pid: 1,
        url: "http://127.0.0.1:1".into(),
        public_url: Some("https://a.example".into()),
        public_urls: vec!["http://127.0.0.1:1".into()],
        issuer: "http://127.0.0.1:2".into(),
        serves_functions: true,
        issuers: vec![NamedIssuer {
            url: "https://id.example".into(),
            audiences: vec!["a".into()],
        }],
        config: Some("/etc/host.toml".into()),
        component: Some(ServedComponent {
            name: "hello".into(),
            members: Some(vec!["allUsers".into()]),
        }),
    };
    store.begin_serving(&host).unwrap();
    assert!(!store.serves_functions().unwrap(), "nobody has the lock");
    let _lock = store.lock_for_serving().unwrap();
    assert!(store.serves_functions().unwrap());
    host.serves_functions = false;
    store.begin_serving(&host).unwrap();
    assert_eq!(store.serving_host().unwrap(), Some(host));
    assert!(store.is_served() && !store.serves_functions().unwrap());
}

#[test]
fn one_process_serves_and_another_is_told_which() {
    let scratch = Scratch::new();
    let (one, other) = (scratch.store(), scratch.store());
    assert!(!other.is_served());
    let lock = one.lock_for_serving().unwrap();
    assert!(other.is_served());
    let refused = other.lock_for_serving().unwrap_err().to_string();
    let told = format!("process {} serves from", std::process::id());
    assert!(refused.starts_with(&told), "{refused}");
    drop(lock);
    assert!(other.lock_for_serving().is_ok());
}
