//! Compiled components, kept on disk.
//!
//! What is kept is native code, so nothing is loaded that this host's user did not write: the directory must be the
//! user's own and closed to others, the file likewise, and the file must carry the right digest of itself. Anything
//! else is passed over and compiled anew.

mod sink;

use aws_lc_rs::digest::{self, Context, SHA256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::compile::MOST_BYTES;
use super::engine::fingerprint;

pub(crate) use sink::{Compiled, KeptSink};

const MAGIC: &[u8; 8] = b"hostcmp2";
const DIGEST: usize = 32;
const TRAILER: usize = MAGIC.len() + DIGEST;

/// How much of a file is read at once.
const BUFFER: usize = 64 << 10;

/// What the names of files end in: whole ones, and ones being written.
const COMPILED: &str = "cwasm";
const PARTIAL: &str = "partial";

/// Compiled components kept at most, in bytes; the oldest go first.
const CAPACITY: u64 = 2 << 30;

/// A directory of compiled components.
#[derive(Debug)]
pub(crate) struct CompileCache {
    directory: PathBuf,
}

impl CompileCache {
    /// Opens `directory`, creating it for its owner only.
    ///
    /// # Errors
    /// When it cannot be created, or others may write to it.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        create_private(directory)?;
        take_back(directory)?;
        let metadata = fs::symlink_metadata(directory)?;
        if !metadata.is_dir() || !is_private(&metadata) {
            return Err(io::Error::other(format!(
                "{} can be written by others; compiled code is kept only in a directory of one's own (mode 700)",
                directory.display()
            )));
        }
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// The compiled form of the component with the SHA-256 `digest`, if a sound one is kept.
    ///
    /// It is mapped, so that of many functions only what runs is in memory. Nothing writes to a file that is there: a
    /// new one takes its place.
    pub(crate) fn load(&self, engine: &Engine, digest: &[u8; 32]) -> Option<Component> {
        let file = open_sound(&self.path(engine, digest))?;
        // SAFETY: `deserialize_file` wants a file that `serialize` made and that stays as it is. This one is the
        // user's own in a directory that nobody else may write, its digest is right, and its name binds it to this
        // component and this engine; wasmtime checks the engine once more. What is mapped is the file that was checked,
        // whatever is found under its name by then.
        #[allow(unsafe_code, clippy::disallowed_methods)]
        let mapped = unsafe { Component::deserialize_file(engine, path_of(&file)) };
        if let Ok(component) = mapped {
            return Some(component);
        }
        // Where no file may be mapped to be executed (`noexec`), or `/proc` is missing, a copy does it.
        let compiled = read_sound(file)?;
        // SAFETY: as above, for the bytes that were checked.
        #[allow(unsafe_code)]
        let copied = unsafe { Component::deserialize(engine, compiled) };
        copied.ok()
    }

    /// A place for the compiled form of the component with the SHA-256 `digest`.
    pub(crate) fn entry(&self, engine: &Engine, digest: &[u8; 32]) -> io::Result<Entry<'_>> {
        let path = self.path(engine, digest);
        let partial = path.with_extension(format!("{:016x}.{PARTIAL}", rand::random::<u64>()));
        Ok(Entry {
            cache: self,
            file: create_new_private(&partial)?,
            path,
            partial,
            digest: Context::new(&SHA256),
            length: 0,
        })
    }

    /// Named by the component's SHA-256 and the engine's settings.
    fn path(&self, engine: &Engine, digest: &[u8; 32]) -> PathBuf {
        let digest = hex(digest);
        self.directory
            .join(format!("{digest}-{:016x}.{COMPILED}", fingerprint(engine)))
    }

    fn clear_oldest(&self, keep: &Path) -> io::Result<()> {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(&self.directory)?
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let metadata = fs::symlink_metadata(&path).ok()?;
                let is_ours = metadata.is_file() && is_entry(&path) && path != keep;
                is_ours.then_some((metadata.modified().ok()?, metadata.len(), path))
            })
            .collect();
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in entries {
            if total <= CAPACITY {
                break;
            }
            // Another process may have been quicker.
            let _ = fs::remove_file(path);
            total -= length;
        }
        Ok(())
    }
}

/// A compiled component that is being written. A file is whole or not there, at any moment.
pub(crate) struct Entry<'a> {
    cache: &'a CompileCache,
    file: File,
    path: PathBuf,
    partial: PathBuf,
    digest: Context,
    length: u64,
}

impl Entry<'_> {
    /// Adds these bytes. If that fails, nothing more can be added.
    pub(crate) fn write(&mut self, compiled: &[u8]) -> io::Result<()> {
        self.file.write_all(compiled)?;
        self.digest.update(compiled);
        self.length += compiled.len() as u64;
        Ok(())
    }

    /// All that was added.
    pub(crate) fn read_back(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(self.length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Keeps it. The digest comes last, so that the compiled component begins where a mapping does.
    pub(crate) fn keep(&mut self) -> io::Result<()> {
        self.file.write_all(MAGIC)?;
        self.file.write_all(self.digest.clone().finish().as_ref())?;
        fs::rename(&self.partial, &self.path)?;
        self.cache.clear_oldest(&self.path)
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // It is gone already if it was kept; if it cannot be removed, it goes with the next clearing.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Opens the file at `path`, if it is what an [`Entry`] made of a component.
fn open_sound(path: &Path) -> Option<File> {
    let mut file = open_nofollow(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || !is_private(&metadata) || metadata.len() > MOST_BYTES {
        return None;
    }
    let mut left = metadata.len().checked_sub(TRAILER as u64)?;
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; BUFFER];
    while left > 0 {
        let next = left.min(BUFFER as u64) as usize;
        file.read_exact(&mut buffer[..next]).ok()?;
        digest.update(&buffer[..next]);
        left -= next as u64;
    }
    let mut trailer = [0; TRAILER];
    file.read_exact(&mut trailer).ok()?;
    (trailer.strip_prefix(MAGIC)? == digest.finish().as_ref()).then_some(file)
}

/// The compiled component in `file`, if the digest is right of what is read.
fn read_sound(mut file: File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let trailer = bytes.split_off(bytes.len().checked_sub(TRAILER)?);
    let expected = trailer.strip_prefix(MAGIC)?;
    (expected == digest::digest(&SHA256, &bytes).as_ref()).then_some(bytes)
}

/// A path that leads to an open file and no other, whatever becomes of its name.
#[cfg(unix)]
fn path_of(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    let descriptors = match cfg!(target_os = "linux") {
        true => "/proc/self/fd",
        false => "/dev/fd",
    };
    Path::new(descriptors).join(file.as_raw_fd().to_string())
}

/// None is known; so the component is copied.
#[cfg(not(unix))]
fn path_of(_: &File) -> PathBuf {
    PathBuf::new()
}

/// Whether a file is one that the cache makes.
fn is_entry(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some(COMPILED | PARTIAL))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(unix)]
fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// Takes the directory back from its group, to which Kubernetes gives a volume with an `fsGroup`, unless it is open to
/// others as well. What the group may have changed or renamed meanwhile is compiled anew.
#[cfg(unix)]
fn take_back(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let metadata = fs::symlink_metadata(directory)?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || !is_ours || metadata.mode() & 0o027 != 0o020 {
        return Ok(());
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if is_entry(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn create_new_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(unix)]
fn open_nofollow(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Whether it belongs to this process's user and nobody else may write it.
#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

#[cfg(test)]
mod tests;
