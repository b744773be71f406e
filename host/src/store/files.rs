//! The directory and the files of a store: their owner's alone, and still the same ones.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::StoreError;

/// What SQLite keeps beside a database while it is in use: what was written last, and where it is found there.
pub(super) const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Makes `directory` for its owner only, or makes sure that nobody else may write to it.
///
/// Kubernetes gives a volume with an `fsGroup` to that group whenever it is mounted. Where all others are shut out, what
/// the group got is taken back: the directory is its owner's alone, as it was made.
pub(crate) fn private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let metadata = fs::metadata(directory)?;
    if !is_ours(&metadata) {
        return Err(io::Error::other(format!(
            "it belongs to the user {}; run the command as that user (sudo -u), or choose another directory with --state-dir",
            metadata.uid()
        )));
    }
    if metadata.mode() & 0o027 == 0o020 {
        return fs::set_permissions(directory, Permissions::from_mode(0o700));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other(
            "others may write to it; expected a directory of one's own (mode 700)",
        ));
    }
    Ok(())
}

/// A database file that was opened, and which one it was.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    /// Absolute, so that SQLite takes no name of a directory for a URI.
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl DatabaseFile {
    /// Makes the file at `path` for its owner only, or makes it so; SQLite gives the files beside it the same mode.
    pub(super) fn private(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        let metadata = file.metadata()?;
        if metadata.mode() & 0o077 != 0 {
            make_private(&path, &file, &metadata)?;
        }
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            path,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that whoever opens the path gets the file that is in use here.
    ///
    /// # Errors
    /// If it was removed or replaced.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let is_same = |now: Metadata| (now.dev(), now.ino()) == (self.device, self.inode);
        match fs::metadata(&self.path).is_ok_and(is_same) {
            true => Ok(()),
            false => Err(StoreError::Replaced(self.path.clone())),
        }
    }
}

/// The file beside the database `path` that ends in `end`.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Takes from others what an earlier program or a copy gave them. They may have the file open still; its keys are no
/// secret to whoever read it before.
fn make_private(path: &Path, file: &File, metadata: &Metadata) -> io::Result<()> {
    if !is_ours(metadata) {
        return Err(io::Error::other(format!(
            "others own or may use {}; expected a file of one's own (mode 600)",
            path.display()
        )));
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    for path in BESIDE.map(|end| beside(path, end)) {
        match fs::set_permissions(path, Permissions::from_mode(0o600)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}
