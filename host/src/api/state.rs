//! The state, in one file.

use std::fs::{self, File};

use super::methods::Method;
use super::{Api, Code, Reply, Request, Status};

/// The method that backs it up. It has an audit entry as changes have: whoever gets the file has the private keys in it.
pub(super) const METHODS: &[Method] = &[Method::changes(
    "host.v1.State.BackUp",
    "GET",
    "/host/v1/state:backup",
    "host.state.get",
    back_up,
)];

/// The media type of a backup, which is an SQLite database (IANA).
pub(crate) const BACKUP: &str = "application/vnd.sqlite3";

fn back_up(api: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    let path = api.store().passing_backup();
    api.store().back_up(&path)?;
    let file = File::open(&path);
    // Whoever has it open reads on, and it is gone when they are done.
    let removed = fs::remove_file(&path);
    let file = file.and_then(|file| removed.map(|()| file));
    file.map(|file| Reply::File(BACKUP, file)).map_err(|error| {
        tracing::error!("a backup cannot be read: {error}");
        let message = "the backup cannot be read; the host's own log says why";
        Status::new(Code::Internal, message)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::api::test_support::Scratch;
    use crate::api::{Call, Caller};
    use crate::store::{PolicyOf, Store};

    const BACK_UP: &str = "GET /host/v1/state:backup";

    #[test]
    fn a_backup_is_a_store_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        store
            .create_service_account("caller@host.internal", "1", "")
            .unwrap();
        let audit = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&audit);
        let note = Box::new(move |entry: crate::api::AuditEntry| {
            kept.lock().unwrap().push(entry.summary);
        });
        let api = Api::new(store, note).unwrap();
        let call = Call {
            verb: "GET",
            path: "/host/v1/state:backup",
            query: "",
            body: Bytes::new(),
            origin: String::new(),
            is_own_client: true,
        };
        let Reply::File(kind, mut file) = api.call(&Caller::owner(), call).unwrap() else {
            panic!("not a file")
        };
        assert_eq!(kind, BACKUP);
        let left = fs::read_dir(directory.path()).unwrap();
        let names = left.map(|entry| entry.unwrap().file_name());
        for name in names {
            assert!(!name.to_string_lossy().contains("backup"), "{name:?}");
        }
        let other = tempfile::tempdir().unwrap();
        let copy = other.path().join("copy");
        let mut written = File::create(&copy).unwrap();
        std::io::copy(&mut file, &mut written).unwrap();
        written.flush().unwrap();
        let restored = Store::restore(&other.path().join("state"), &copy).unwrap();
        assert_eq!(restored.service_accounts().unwrap().len(), 1);
        assert_eq!(
            audit.lock().unwrap().len(),
            1,
            "whoever has it has the keys"
        );
    }

    #[test]
    fn only_an_owner_gets_one() {
        let scratch = Scratch::new();
        for role in ["roles/viewer", "roles/editor"] {
            scratch.grant(role, &PolicyOf::Project);
            let refused = scratch.user(BACK_UP, json!({})).unwrap_err();
            assert!(refused.is_denied(), "{role}");
        }
    }
}
