//! The file in the state directory from which gcloud reads the owner's access token.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Half the time that a token is good.
const FRESH: Duration = Duration::from_secs(30 * 60);

/// The folder of gcloud's own settings for the host of the state `directory`.
pub(crate) fn directory(directory: &Path) -> PathBuf {
    directory.join("gcloud")
}

/// The file in the state `directory`.
pub(crate) fn path(state: &Path) -> PathBuf {
    directory(state).join("access-token")
}

/// Whether there is such a file, and its token is about to be too old.
pub(crate) fn is_stale(file: &Path, now: SystemTime) -> bool {
    let written = fs::metadata(file).and_then(|metadata| metadata.modified());
    written.is_ok_and(|written| {
        // One from the future says that the clock was set back.
        now.duration_since(written).is_ok_and(|age| age > FRESH) || written > now
    })
}

/// Writes `token` in place of the one that is there, for the owner's eyes only.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(file: &Path, token: &str) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    let new = file.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut open = OpenOptions::new();
    let mut written = open.write(true).create_new(true).mode(0o600).open(&new)?;
    written.write_all(token.as_bytes())?;
    written.write_all(b"\n")?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_its_owners_alone_and_stale_after_half_an_hour() {
        let state = tempfile::tempdir().unwrap();
        let file = path(state.path());
        let now = SystemTime::now();
        assert!(!is_stale(&file, now));
        for token in ["one", "two"] {
            write(&file, token).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), format!("{token}\n"));
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let later = |minutes: u64| SystemTime::now() + Duration::from_secs(minutes * 60);
        assert!(!is_stale(&file, later(29)) && is_stale(&file, later(31)));
        assert!(is_stale(&file, now - Duration::from_secs(3600)));
    }
}
