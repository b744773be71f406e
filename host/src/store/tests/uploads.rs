//! What is uploaded, for a short time.

use jiff::Timestamp;

use super::Scratch;
use crate::archive::LARGEST_UPLOAD;
use crate::store::{Store, UPLOAD_TIME, UploadId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn after_it_expired() -> Timestamp {
    at(0) + UPLOAD_TIME
}

const MISSING: &str = "there is no such upload, or it has expired; ask for another upload URL";

#[test]
fn what_was_put_is_taken_as_often_as_a_deploy_is_tried() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = store.begin_upload(at(0)).unwrap();
    store.check_upload(&id, at(1)).unwrap();
    store.put_upload(&id, b"wasm", at(1)).unwrap();
    drop(store);
    let store = scratch.store();
    let id = UploadId::from_text(id.as_str());
    for _ in 0..2 {
        assert_eq!(store.take_upload(&id, at(2)).unwrap(), &b"wasm"[..]);
    }
    store.remove_upload(&id).unwrap();
    assert_eq!(
        store.take_upload(&id, at(2)).unwrap_err().to_string(),
        MISSING
    );
}

#[test]
fn an_upload_is_put_once() {
    let store = Store::in_memory().unwrap();
    let id = store.begin_upload(at(0)).unwrap();
    let empty = store.take_upload(&id, at(0)).unwrap_err().to_string();
    assert!(empty.starts_with("nothing was uploaded"), "{empty}");
    store.put_upload(&id, b"", at(0)).unwrap();
    for refused in [
        store.put_upload(&id, b"other", at(0)).unwrap_err(),
        store.check_upload(&id, at(0)).unwrap_err(),
    ] {
        let expected = "the upload URL was used already; ask for another one";
        assert_eq!(refused.to_string(), expected);
    }
    assert_eq!(store.take_upload(&id, at(0)).unwrap(), &b""[..]);
}

#[test]
fn an_upload_that_nobody_began_is_missing() {
    let store = Store::in_memory().unwrap();
    store.begin_upload(at(0)).unwrap();
    let other = UploadId::from_text("0123456789abcdef0123456789abcdef");
    for refused in [
        store.check_upload(&other, at(0)).unwrap_err(),
        store.put_upload(&other, b"1", at(0)).unwrap_err(),
        store.take_upload(&other, at(0)).unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), MISSING);
    }
}

#[test]
fn an_upload_expires() {
    let store = Store::in_memory().unwrap();
    let [put, open] = [0, 0].map(|second| store.begin_upload(at(second)).unwrap());
    store.put_upload(&put, b"1", at(0)).unwrap();
    let late = after_it_expired();
    for refused in [
        store.take_upload(&put, late).unwrap_err(),
        store.check_upload(&open, late).unwrap_err(),
        store.put_upload(&open, b"1", late).unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), MISSING);
    }
    assert_eq!(store.remove_expired_uploads(at(599)).unwrap(), 0);
    assert_eq!(store.remove_expired_uploads(late).unwrap(), 2);
    assert!(store.take_upload(&put, at(599)).is_err(), "it was removed");
}

#[test]
fn uploads_are_bounded_in_number_until_some_expire() {
    let store = Store::in_memory().unwrap();
    for _ in 0..64 {
        store.begin_upload(at(0)).unwrap();
    }
    let refused = store.begin_upload(at(599)).unwrap_err().to_string();
    let expected =
        "there are 64 uploads already, which is the limit; wait until some are deployed or expire";
    assert_eq!(refused, expected);
    store.begin_upload(after_it_expired()).unwrap();
}

#[test]
fn an_upload_has_a_bounded_size() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = store.begin_upload(at(0)).unwrap();
    let large = vec![0; LARGEST_UPLOAD + 1];
    let refused = store
        .put_upload(&id, &large, at(0))
        .unwrap_err()
        .to_string();
    let expected = "an upload has 104857600 bytes at most; this one has 104857601";
    assert_eq!(refused, expected);
    store.put_upload(&id, &large[1..], at(0)).unwrap();
}

#[test]
fn an_id_is_random_and_is_not_kept_nor_told() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let [one, other] = [0, 0].map(|second| store.begin_upload(at(second)).unwrap());
    assert_ne!(one.as_str(), other.as_str());
    assert_eq!(one.as_str().len(), 32);
    assert!(!format!("{one:?}").contains(one.as_str()));
    drop(store);
    let database = std::fs::read(scratch.file("host.db")).unwrap();
    assert!(memchr::memmem::find(&database, one.as_str().as_bytes()).is_none());
}
