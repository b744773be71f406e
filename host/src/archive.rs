//! What a client uploads to deploy a function: a component as it is, or a zip archive of a folder.
//!
//! Uploads are not trusted. Everything in an archive is bounded, the sizes that it declares are not believed, and
//! nothing is written to disk.

mod entries;
mod error;
mod path;

use bytes::Bytes;
use host_sandbox::SandboxConfig;

pub use error::ArchiveError;

/// The largest upload, in bytes: what gcloud allows itself with `x-goog-content-length-range: 0,104857600`.
pub const LARGEST_UPLOAD: usize = 100 << 20;

/// What every WebAssembly file begins with, component or not.
const WASM: &[u8] = b"\0asm";
/// What every record of a zip archive begins with (APPNOTE.TXT, 4.3.6).
const ZIP: &[u8] = b"PK";

/// What an upload may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The size of the upload, in bytes.
    pub upload: usize,
    /// The size of a component, in bytes.
    pub component: u64,
    /// Entries of an archive, folders included.
    pub entries: usize,
    /// The length of a path, in bytes.
    pub path: usize,
    /// How many times its compressed size a file may have.
    pub ratio: u64,
    /// The size up to which the ratio does not matter, in bytes.
    pub any_ratio: u64,
}

impl Default for Bounds {
    /// Google's bound for uploads, the sandbox's for components.
    fn default() -> Self {
        Self {
            upload: LARGEST_UPLOAD,
            component: SandboxConfig::default().component_bytes,
            entries: 10_000,
            path: 1024,
            // Text seldom has more than 20. Deflate can reach 1,032.
            ratio: 200,
            any_ratio: 1 << 20,
        }
    }
}

/// What is to be deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// A WebAssembly file.
    Component(Bytes),
    /// The paths of the files of a folder that holds source code, such as `src/main.py`, in the order of the archive. At least
    /// one. Each leads nowhere else, and none is there twice.
    Source(Vec<String>),
}

/// Finds out what is to be deployed by `upload`: a WebAssembly file, or a zip archive that holds one or a source
/// folder. Takes as long as it takes to expand the WebAssembly file.
///
/// The WebAssembly file of an archive is the one at its root. Without one there it is the one in any other folder, unless the
/// root has `main.py`, `requirements.txt`, `package.json` or `Cargo.toml`: that folder is source code, whose dependencies may
/// have WebAssembly files of their own.
///
/// # Errors
/// If it is neither, an archive has several WebAssembly files, no file, or one that this host does not take, it is
/// damaged, or it goes beyond `bounds`.
pub fn read(upload: Bytes, bounds: &Bounds) -> Result<Upload, ArchiveError> {
    if upload.len() > bounds.upload {
        return Err(ArchiveError::UploadTooLarge(bounds.upload));
    }
    if upload.starts_with(WASM) {
        return match upload.len() as u64 > bounds.component {
            true => Err(ArchiveError::ComponentTooLarge(bounds.component)),
            false => Ok(Upload::Component(upload)),
        };
    }
    if upload.starts_with(ZIP) {
        return entries::read(upload, bounds);
    }
    Err(ArchiveError::UnknownFormat)
}

#[cfg(test)]
mod tests;
