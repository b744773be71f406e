//! Zip archives: first all entries are judged by what the central directory tells of them, then those that are wanted
//! are expanded.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use bytes::Bytes;
use memchr::memmem;
use zip::read::{ArchiveOffset, Config, ZipFile, ZipFileEntry};
use zip::{CompressionMethod, ZipArchive};

use super::path;
use super::{ArchiveError, Bounds, Upload};

/// Which bits of a mode tell the kind of a file, and which kinds are files and folders (POSIX `st_mode`).
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// The end of the central directory, and what is 20 bytes before it in the format Zip64 (APPNOTE.TXT, 4.3.15 and
/// 4.3.16).
const END: &[u8] = b"PK\x05\x06";
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const ZIP64_LOCATOR_LENGTH: usize = 20;
/// Where the end of the central directory is looked for, in bytes from the end: more than the longest comment.
const TAIL: usize = 1 << 17;

/// Files at the root that tell that a folder is source code.
const OF_SOURCE: [&str; 4] = ["main.py", "requirements.txt", "package.json", "Cargo.toml"];

type Archive = ZipArchive<Cursor<Bytes>>;

/// The component or the paths of the source files in the archive `upload`.
pub(super) fn read(upload: Bytes, bounds: &Bounds) -> Result<Upload, ArchiveError> {
    if is_zip64(&upload) {
        return Err(ArchiveError::Zip64);
    }
    let size = upload.len() as u64;
    // What is in front of an archive would be read by some programs and not by others.
    let archive_offset = ArchiveOffset::Known(0);
    let mut archive = ZipArchive::with_config(Config { archive_offset }, Cursor::new(upload))?;
    let files = files(&archive, size, bounds)?;
    let components = components(&files);
    match &components[..] {
        [] if files.is_empty() => Err(ArchiveError::Empty),
        [] => Ok(Upload::Source(
            files.into_iter().map(|(_, path)| path).collect(),
        )),
        [(index, _)] => {
            let too_large = ArchiveError::ComponentTooLarge(bounds.component);
            let file = archive.by_index(*index)?;
            expand(file, bounds.component, too_large, bounds).map(Upload::Component)
        }
        several => {
            let shown = several.iter().map(|(_, path)| path::shown(path)).collect();
            Err(ArchiveError::SeveralComponents(shown))
        }
    }
}

/// The WebAssembly files that may be meant: those at the root, and without one there those of other folders, if no file tells
/// that the folder is source code.
fn components(files: &[(usize, String)]) -> Vec<&(usize, String)> {
    let wasm = files.iter().filter(|(_, path)| path.ends_with(".wasm"));
    let (at_root, deeper): (Vec<_>, Vec<_>) = wasm.partition(|(_, path)| !path.contains('/'));
    let is_source = files
        .iter()
        .any(|(_, path)| OF_SOURCE.contains(&path.as_str()));
    match at_root.is_empty() && !is_source {
        true => deeper,
        false => at_root,
    }
}

/// Whether `upload` may have more than 65,535 entries, which would all be read into memory before they are counted.
fn is_zip64(upload: &[u8]) -> bool {
    let tail = &upload[upload.len().saturating_sub(TAIL)..];
    memmem::find_iter(tail, END).any(|end| {
        end.checked_sub(ZIP64_LOCATOR_LENGTH)
            .is_some_and(|locator| tail[locator..].starts_with(ZIP64_LOCATOR))
    })
}

/// The index and the path of each file, once all entries have been found to be good.
fn files(
    archive: &Archive,
    size: u64,
    bounds: &Bounds,
) -> Result<Vec<(usize, String)>, ArchiveError> {
    if archive.len() > bounds.entries {
        return Err(ArchiveError::TooManyEntries {
            found: archive.len(),
            limit: bounds.entries,
        });
    }
    if archive.has_duplicate_names() {
        return Err(ArchiveError::Duplicate);
    }
    // Names whose bytes differ may be the same text, and a folder may have the name of a file.
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    let mut compressed = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index)?;
        let name = entry.name()?.into_owned();
        check(&entry, &name, bounds)?;
        // As many bytes as are there, so that what they expand to is bounded by the size of the archive.
        compressed = compressed.saturating_add(entry.compressed_size());
        if compressed > size {
            return Err(ArchiveError::Overlap);
        }
        if !seen.insert(name.trim_end_matches('/').to_owned()) {
            return Err(ArchiveError::Duplicate);
        }
        if !path::is_left_out(&name) {
            files.push((index, name));
        }
    }
    Ok(files)
}

/// Makes sure that an entry is a file or a folder that can be read.
fn check(entry: &ZipFileEntry<'_>, name: &str, bounds: &Bounds) -> Result<(), ArchiveError> {
    path::check(name, bounds.path)?;
    let kind = entry.unix_mode().map_or(0, |mode| mode & KIND);
    if !matches!(kind, 0 | REGULAR | FOLDER) {
        return Err(ArchiveError::SpecialFile(path::shown(name)));
    }
    if entry.encrypted() {
        return Err(ArchiveError::Encrypted(path::shown(name)));
    }
    match entry.compression() {
        CompressionMethod::Stored | CompressionMethod::Deflated => Ok(()),
        _ => Err(ArchiveError::Compression(path::shown(name))),
    }
}

/// What is in `file`. Stops at `most` bytes with the error `too_large`, or at what its compressed size allows, whatever
/// size it declares.
fn expand(
    file: ZipFile<'_, Cursor<Bytes>>,
    most: u64,
    too_large: ArchiveError,
    bounds: &Bounds,
) -> Result<Bytes, ArchiveError> {
    let path = path::shown(&file.name()?);
    let by_ratio = file.compressed_size().saturating_mul(bounds.ratio);
    let limit = most.min(by_ratio.max(bounds.any_ratio));
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    if bytes.len() as u64 > limit {
        return Err(match limit == most {
            true => too_large,
            false => ArchiveError::Ratio {
                path,
                ratio: bounds.ratio,
            },
        });
    }
    match read {
        Ok(_) => Ok(bytes.into()),
        Err(error) => Err(ArchiveError::DamagedFile { path, error }),
    }
}
