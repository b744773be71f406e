//! Notices that files have changed, and that whoever writes them is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often files are looked at.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// What tells one state of a file from the next: none if it cannot be looked at.
type State = Option<(SystemTime, u64, u64)>;

/// A file, and the state of it that was last taken up.
#[derive(Debug)]
pub(super) struct WatchedFile {
    path: PathBuf,
    taken: State,
    /// As it was at the last look.
    last: State,
}

impl WatchedFile {
    /// Watches the file at `path` from its present state on.
    pub(super) fn new(path: &Path) -> Self {
        let state = state(path);
        Self {
            path: path.to_owned(),
            taken: state,
            last: state,
        }
    }

    /// Whether it is another file than the one last taken up, and has rested since the last look: a compiler writes
    /// piece by piece. Answers so once for each change.
    pub(super) fn has_changed(&mut self) -> bool {
        let now = state(&self.path);
        let rests = now == std::mem::replace(&mut self.last, now);
        let is_news = rests && now.is_some() && now != self.taken;
        if is_news {
            self.taken = now;
        }
        is_news
    }
}

#[cfg(unix)]
fn state(path: &Path) -> State {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;

    use super::*;

    fn file() -> NamedTempFile {
        let file = NamedTempFile::new().unwrap();
        fs::write(&file, "one").unwrap();
        file
    }

    #[test]
    fn a_change_is_told_once_and_only_when_the_file_rests() {
        let file = file();
        let mut watched = WatchedFile::new(file.path());
        assert!(!watched.has_changed());
        fs::write(&file, "one and").unwrap();
        assert!(!watched.has_changed());
        fs::write(&file, "one and two").unwrap();
        assert!(!watched.has_changed());
        assert!(watched.has_changed());
        assert!(!watched.has_changed());
    }

    #[test]
    fn a_file_that_is_gone_is_no_change_until_it_is_back() {
        let file = file();
        let mut watched = WatchedFile::new(file.path());
        fs::remove_file(&file).unwrap();
        assert!(!watched.has_changed() && !watched.has_changed());
        fs::write(&file, "another").unwrap();
        assert!(!watched.has_changed());
        assert!(watched.has_changed());
    }
}
