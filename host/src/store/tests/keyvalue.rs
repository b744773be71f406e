//! Buckets: their counts, their quotas, and who has them.

use super::{Scratch, declaration, name, with};
use crate::store::{BucketName, KeyValueError, KeyValueLedger, LARGEST_VALUE, Quota, Store};

fn shared() -> BucketName {
    BucketName::Shared("s".into())
}

fn entry(key: &str, value: &str) -> (String, Vec<u8>) {
    (key.into(), value.into())
}

const FEW: Quota = Quota {
    entries: 2,
    bytes: 10,
};

#[track_caller]
fn write<T>(store: &Store, write: impl FnOnce(&KeyValueLedger<'_>) -> T) -> T {
    store.write_keyvalue(write).unwrap()
}

/// What the counts say and what is there: entries and bytes.
#[track_caller]
fn assert_counts(scratch: &Scratch, expected: (i64, i64)) {
    let row = |sql: &str| {
        let database = scratch.database();
        let row = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        row.unwrap()
    };
    let counted: (i64, i64) = row("SELECT sum(entries), sum(bytes) FROM keyvalue_buckets");
    assert_eq!(counted, expected);
    let there = row(
        "SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM keyvalue_entries",
    );
    assert_eq!(there, expected);
}

#[test]
fn values_are_set_replaced_and_deleted_and_the_counts_follow() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let keys = ["a", "é", "none"].map(str::to_owned);
    write(&store, |ledger| {
        let entries = [entry("a", "1"), entry("é", "two"), entry("a", "11")];
        ledger.set(&shared(), &entries, Quota::UNLIMITED).unwrap();
        let found = ledger.get(&shared(), &keys).unwrap();
        assert_eq!(found, [Some(b"11".to_vec()), Some(b"two".to_vec()), None]);
        assert!(ledger.exists(&shared(), "a").unwrap());
    });
    assert_counts(&scratch, (2, 8));
    let deleted = write(&store, |ledger| ledger.delete(&shared(), &keys));
    assert_eq!(deleted.unwrap(), 2);
    assert_counts(&scratch, (0, 0));
    let other = BucketName::Shared("never".into());
    let read = store.read_keyvalue(|ledger| ledger.get(&other, &keys));
    assert_eq!(read.unwrap().unwrap(), [None, None, None]);
}

#[test]
fn a_quota_refuses_what_goes_beyond_it_and_nothing_of_that_is_there() {
    let scratch = Scratch::new();
    let store = scratch.store();
    write(&store, |ledger| {
        let set = |entries: &[(String, Vec<u8>)]| ledger.set(&shared(), entries, FEW);
        set(&[entry("a", "1"), entry("b", "2")]).unwrap();
        let refused = set(&[entry("a", "11"), entry("c", "3")]).unwrap_err();
        assert!(matches!(refused, KeyValueError::Entries(2)));
        let refused = set(&[entry("a", "1234567890")]).unwrap_err();
        assert!(matches!(refused, KeyValueError::Bytes(10)));
        // As much as there may be.
        set(&[entry("a", "1234567")]).unwrap();
    });
    assert_counts(&scratch, (2, 10));
    // One that has too much may have less.
    write(&store, |ledger| {
        let less = Quota {
            entries: 1,
            bytes: 1,
        };
        ledger.set(&shared(), &[entry("a", "12")], less).unwrap();
        ledger
            .set(&shared(), &[entry("a", "123")], less)
            .unwrap_err();
    });
    assert_counts(&scratch, (2, 5));
}

#[test]
fn keys_and_values_have_bounds() {
    let scratch = Scratch::new();
    let store = scratch.store();
    write(&store, |ledger| {
        let set = |key: &str, value: Vec<u8>| {
            ledger.set(&shared(), &[(key.to_owned(), value)], Quota::UNLIMITED)
        };
        set(&"k".repeat(1024), vec![0; LARGEST_VALUE]).unwrap();
        for key in ["", &"k".repeat(1025)] {
            assert!(matches!(set(key, vec![]), Err(KeyValueError::Key(_))));
            ledger.exists(&shared(), key).unwrap_err();
            ledger.delete(&shared(), &[key.to_owned()]).unwrap_err();
        }
        let large = set("a", vec![0; LARGEST_VALUE + 1]);
        assert!(matches!(large, Err(KeyValueError::Value(_))));
        // The same one again and again is no way around the bound of an answer.
        let same = vec!["k".repeat(1024); 2];
        let refused = ledger.get(&shared(), &same);
        assert!(matches!(refused, Err(KeyValueError::Answer)));
        assert_eq!(ledger.get(&shared(), &same[..1]).unwrap().len(), 1);
    });
}

#[test]
fn pages_go_on_where_they_were_whatever_is_deleted_meanwhile() {
    let scratch = Scratch::new();
    let store = scratch.store();
    write(&store, |ledger| {
        let entries: Vec<_> = (0..10).map(|n| entry(&format!("k{n}"), "v")).collect();
        ledger.set(&shared(), &entries, Quota::UNLIMITED).unwrap();
        let page = |after| {
            let entries = ledger.entries(&shared(), after, 4).unwrap();
            let last = entries.last().map_or(0, |entry| entry.number);
            (
                entries
                    .into_iter()
                    .map(|entry| entry.key)
                    .collect::<Vec<_>>(),
                last,
            )
        };
        let (first, last) = page(0);
        assert_eq!(first, ["k0", "k1", "k2", "k3"]);
        ledger.delete(&shared(), &first).unwrap();
        // What is set anew keeps its place.
        ledger
            .set(&shared(), &[entry("k9", "w")], Quota::UNLIMITED)
            .unwrap();
        let (second, last) = page(last);
        assert_eq!(second, ["k4", "k5", "k6", "k7"]);
        assert_eq!(page(last).0, ["k8", "k9"]);
        assert_eq!(page(u64::MAX).0, [""; 0]);
    });
}

#[test]
fn numbers_are_added_to_within_their_range() {
    let scratch = Scratch::new();
    let store = scratch.store();
    write(&store, |ledger| {
        let add =
            |key, delta, most: i128| ledger.add(&shared(), key, delta, -9..=most, Quota::UNLIMITED);
        assert_eq!(add("n", 5, 9).unwrap(), 5);
        assert_eq!(add("n", -6, 9).unwrap(), -1);
        let value = ledger.get(&shared(), &["n".to_owned()]).unwrap();
        assert_eq!(value, [Some(b"-1".to_vec())]);
        for delta in [11, -9, i128::MAX, i128::MIN] {
            assert!(matches!(add("n", delta, 9), Err(KeyValueError::Range)));
        }
        ledger
            .set(&shared(), &[entry("t", "text")], Quota::UNLIMITED)
            .unwrap();
        assert!(matches!(add("t", 1, 9), Err(KeyValueError::NoNumber)));
    });
}

#[test]
fn a_swap_fails_once_somebody_has_written_even_the_same_value() {
    let scratch = Scratch::new();
    let store = scratch.store();
    write(&store, |ledger| {
        let swap =
            |seen, value: &str| ledger.swap(&shared(), "k", seen, value.into(), Quota::UNLIMITED);
        let seen = || {
            ledger
                .read(&shared(), "k")
                .unwrap()
                .map(|(version, _)| version)
        };
        swap(None, "one").unwrap().unwrap();
        let first = seen();
        assert_eq!(swap(None, "two").unwrap(), Err(first));
        ledger
            .set(&shared(), &[entry("k", "one")], Quota::UNLIMITED)
            .unwrap();
        assert_eq!(swap(first, "two").unwrap(), Err(seen()));
        swap(seen(), "two").unwrap().unwrap();
        let last = seen();
        ledger.delete(&shared(), &["k".to_owned()]).unwrap();
        assert_eq!(swap(last, "three").unwrap(), Err(None));
    });
}

#[test]
fn the_own_bucket_goes_with_its_function_and_a_shared_one_stays() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let own = BucketName::Function("f".into());
    let set =
        |bucket: &BucketName| write(&store, |ledger| ledger.set(bucket, &[entry("a", "1")], FEW));
    assert!(matches!(set(&own), Err(KeyValueError::Deleted)));
    store.deploy(&name("f"), Some(b"one"), with(1)).unwrap();
    set(&own).unwrap();
    set(&shared()).unwrap();
    assert_eq!(store.own_bucket("f").unwrap(), own);
    // A new revision has what the last one kept.
    store.deploy(&name("f"), Some(b"two"), with(1)).unwrap();
    assert_counts(&scratch, (2, 4));
    store.delete(&name("f")).unwrap();
    assert_counts(&scratch, (1, 2));
    assert!(matches!(set(&own), Err(KeyValueError::Deleted)));
    assert!(store.own_bucket("f").is_err());
    store.deploy(&name("f"), Some(b"one"), with(1)).unwrap();
    let found = store.read_keyvalue(|ledger| ledger.exists(&own, "a"));
    assert!(!found.unwrap().unwrap());
    assert_eq!(store.shared_bucket("s").unwrap(), shared());
    let cleared = write(&store, |ledger| ledger.clear(&shared()));
    assert_eq!(cleared.unwrap(), 1);
    assert!(store.shared_bucket("s").is_err());
    let missing = store.shared_bucket("t").unwrap_err().to_string();
    assert!(missing.starts_with("there is no bucket `t`"), "{missing}");
}

#[test]
fn a_bucket_outlasts_that_its_function_is_declared() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let own = BucketName::Function("f".into());
    let declared = [declaration("f", b"one")];
    store.declare("file", &declared).unwrap();
    let set = || write(&store, |ledger| ledger.set(&own, &[entry("a", "1")], FEW));
    set().unwrap();
    store.declare("", &[]).unwrap();
    assert_eq!(store.own_bucket("f").unwrap(), own);
    store.declare("file", &declared).unwrap();
    assert_counts(&scratch, (1, 2));
    // What was emptied is not made again by an execution that is left over.
    store.declare("", &[]).unwrap();
    write(&store, |ledger| ledger.clear(&own)).unwrap();
    assert!(matches!(set(), Err(KeyValueError::Deleted)));
    assert!(store.own_bucket("f").is_err());
}

#[test]
fn what_is_kept_for_functions_is_no_change_of_them() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let before = store.version().unwrap();
    let set = |ledger: &KeyValueLedger<'_>| ledger.set(&shared(), &[entry("a", "1")], FEW);
    write(&store, set).unwrap();
    assert_eq!(store.version().unwrap(), before);
}

#[test]
fn what_is_asked_after_the_database_has_given_up_a_transaction_is_not_kept() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let set = |ledger: &KeyValueLedger<'_>, key| {
        ledger.set(&shared(), &[entry(key, "1")], Quota::UNLIMITED)
    };
    let refused = store.write_keyvalue(|ledger| {
        set(ledger, "a").unwrap();
        // As it does by itself when the disk fails.
        ledger.give_up();
        assert!(ledger.is_given_up());
        set(ledger, "b").unwrap_err()
    });
    refused.unwrap_err();
    let there = store.read_keyvalue(|ledger| ledger.entries(&shared(), 0, usize::MAX));
    assert_eq!(there.unwrap().unwrap(), []);
    write(&store, |ledger| set(ledger, "c")).unwrap();
    assert_counts(&scratch, (1, 2));
}

#[test]
fn no_more_keys_are_named_at_once_than_a_page_has() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let many: Vec<_> = (0..257).map(|key| format!("{key}")).collect();
    let entries: Vec<_> = many.iter().map(|key| entry(key, "")).collect();
    write(&store, |ledger| {
        let quota = Quota::UNLIMITED;
        ledger.set(&shared(), &entries[..256], quota).unwrap();
        for refused in [
            ledger.set(&shared(), &entries, quota).unwrap_err(),
            ledger.delete(&shared(), &many).unwrap_err(),
            ledger.get(&shared(), &many).unwrap_err(),
        ] {
            assert!(matches!(refused, KeyValueError::Keys(257)), "{refused}");
        }
    });
}

#[test]
fn pages_go_on_after_all_was_removed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    write(&store, |ledger| {
        let set = |key| ledger.set(&shared(), &[entry(key, "1")], Quota::UNLIMITED);
        set("a").unwrap();
        let [first] = ledger.entries(&shared(), 0, 9).unwrap().try_into().unwrap();
        assert_eq!(ledger.clear(&shared()).unwrap(), 1);
        // Numbers begin with the time, which the database has in milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(2));
        set("b").unwrap();
        let next = ledger.entries(&shared(), first.number, 9).unwrap();
        assert_eq!(next.len(), 1, "what came later is on a later page");
    });
    assert_counts(&scratch, (1, 2));
}

#[test]
fn two_processes_add_to_one_number() {
    let scratch = Scratch::new();
    scratch.store();
    let add = || {
        let store = scratch.store();
        for _ in 0..50 {
            let range = 0..=i128::MAX;
            let add = |ledger: &KeyValueLedger<'_>| {
                ledger.add(&shared(), "n", 1, range, Quota::UNLIMITED)
            };
            store.write_keyvalue(add).unwrap().unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(add);
        scope.spawn(add);
    });
    let keys = ["n".to_owned()];
    let read = scratch
        .store()
        .read_keyvalue(|ledger| ledger.get(&shared(), &keys));
    assert_eq!(read.unwrap().unwrap(), [Some(b"100".to_vec())]);
}
