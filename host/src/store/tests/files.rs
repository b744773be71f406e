//! The files of a store: whose they are, and which.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use super::{Scratch, Store, StoreError, name, names, with};

#[test]
fn directory_and_files_are_their_owners_alone() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.file("state")).unwrap();
    store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    let _lock = store.lock_for_serving().unwrap();
    assert_eq!(scratch.mode("state"), 0o700);
    for file in ["host.db", "host.db-wal", "host.db-shm", "serve.lock"] {
        assert_eq!(scratch.mode(&format!("state/{file}")), 0o600, "{file}");
    }
}

#[test]
fn a_database_that_others_could_read_is_taken_from_them() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    let files = ["host.db", "host.db-wal", "host.db-shm"];
    for file in files {
        let open = Permissions::from_mode(0o644);
        fs::set_permissions(scratch.file(file), open).unwrap();
    }
    let _other = scratch.store();
    for file in files {
        assert_eq!(scratch.mode(file), 0o600, "{file}");
    }
}

#[test]
fn a_directory_of_another_user_is_refused_and_that_user_named() {
    let scratch = Scratch::new();
    // Only root can give a directory away; to all others that of root is another's.
    let (directory, owner) = match chown(scratch.path(), Some(65534), None) {
        Ok(()) => (scratch.path(), "65534"),
        Err(_) => (Path::new("/"), "0"),
    };
    let refused = Store::open(directory).unwrap_err().to_string();
    let expected = format!("it belongs to the user {owner}; run the command as that user");
    assert!(refused.contains(&expected), "{refused}");
}

#[test]
fn a_directory_with_any_name_is_used_as_it_is_called() {
    let scratch = Scratch::new();
    let odd = OsStr::from_bytes(b"file:odd?mode=memory\xff");
    let directory = scratch.path().join(odd);
    Store::open(&directory).unwrap();
    assert!(directory.join("host.db").exists());
}

#[test]
fn a_store_that_is_up_to_date_is_opened_without_a_write() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let before = store.version().unwrap();
    assert_eq!(scratch.store().functions().unwrap(), []);
    assert_eq!(store.version().unwrap(), before);
}

#[test]
fn a_database_that_was_removed_or_replaced_is_noticed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.check_in_place().unwrap();
    fs::remove_file(scratch.file("host.db")).unwrap();
    let replaced = |store: &Store| matches!(store.version(), Err(StoreError::Replaced(_)));
    assert!(replaced(&store));
    let other = scratch.store();
    assert!(replaced(&store));
    assert!(!replaced(&other));
}

#[test]
fn a_backup_may_have_any_name() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    for odd in [&b"file:backup?mode=memory"[..], b"backup\xff"] {
        let backup = scratch.path().join(OsStr::from_bytes(odd));
        store.back_up(&backup).unwrap();
        assert_eq!(
            fs::metadata(&backup).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let other = Scratch::new();
        let restored = Store::restore(other.path(), &backup).unwrap();
        assert_eq!(names(&restored), ["a"]);
    }
}

#[test]
fn a_store_is_not_restored_onto_what_is_left_of_another() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    let backup = scratch.file("backup");
    scratch.store().back_up(&backup).unwrap();
    fs::write(other.file("host.db-wal"), "old").unwrap();
    let refused = Store::restore(other.path(), &backup).unwrap_err();
    assert!(matches!(refused, StoreError::LeftOver(_)), "{refused}");
    assert!(!other.file("host.db").exists());
    fs::remove_file(other.file("host.db-wal")).unwrap();
    Store::restore(other.path(), &backup).unwrap();
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o777)).unwrap();
    let refused = Store::open(scratch.path()).unwrap_err();
    assert!(refused.to_string().contains("mode 700"), "{refused}");
}

/// As a kubelet does it at each mount of a volume with an `fsGroup`.
#[test]
fn what_a_group_was_given_is_taken_back() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.deploy(&name("a"), Some(b"one"), with(1)).unwrap();
    drop(store);
    let mode = Permissions::from_mode(0o2770);
    fs::set_permissions(scratch.path(), mode).unwrap();
    let file = Permissions::from_mode(0o660);
    fs::set_permissions(scratch.file("host.db"), file).unwrap();
    assert_eq!(names(&scratch.store()), ["a"]);
    assert_eq!(scratch.mode("") & 0o777, 0o700);
    assert_eq!(scratch.mode("host.db"), 0o600);
    // Others, too, are more than a volume's group.
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o775)).unwrap();
    assert!(Store::open(scratch.path()).is_err());
}
