//! Guests that are compiled already, so that not each test waits for the compiler.
//!
//! Each guest is compiled once, into a directory beside the guests. The compiled form is copied to where a host looks for it
//! (`compiled` in its state directory). A host checks it as it checks its own.

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use crate::paths;

/// The compiled form of a guest, once it is known; `None` if there is none.
type Compiled = Arc<OnceLock<Option<PathBuf>>>;

/// Puts the compiled form of the guest called `name` into the state directory `state`.
pub(crate) fn put(name: &str, state: &Path) {
    static GUESTS: Mutex<Option<HashMap<String, Compiled>>> = Mutex::new(None);
    let compiled = {
        let mut guests = GUESTS.lock().unwrap_or_else(PoisonError::into_inner);
        let guests = guests.get_or_insert_default();
        Arc::clone(guests.entry(name.to_owned()).or_default())
    };
    let Some(file) = compiled.get_or_init(|| compile(&paths::guest(name))) else {
        return;
    };
    let directory = state.join("compiled");
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory);
    // Whatever fails here, the host compiles it.
    let _ =
        made.and_then(|()| fs::copy(file, directory.join(file.file_name().unwrap_or_default())));
}

/// Has `guest` compiled, if it is not yet, and finds its compiled form by the digest in its name.
fn compile(guest: &Path) -> Option<PathBuf> {
    let state = guest.with_file_name("compiled-guests");
    let _ = Command::new(paths::host_binary())
        .arg("check")
        .arg(guest)
        .env("HOST_STATE_DIR", &state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let digest = digest(&SHA256, &fs::read(guest).ok()?);
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let files = fs::read_dir(state.join("compiled")).ok()?.flatten();
    let is_its = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&hex) && name.ends_with(".cwasm")
    };
    let mut files: Vec<_> = files.map(|file| file.path()).filter(is_its).collect();
    // Another engine may have left one: the latest is this binary's.
    files.sort_by_key(|file| fs::metadata(file).and_then(|data| data.modified()).ok());
    files.pop()
}
