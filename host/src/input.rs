//! Files that a command line names, where `-` is standard input.
//!
//! It can be read once, so it is named once; who asks again for the same gets the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What messages call standard input.
pub(crate) const STDIN: &str = "standard input";

/// Who has read standard input, and what was in it.
type Whole = (&'static str, Arc<[u8]>);

static READ: Mutex<Option<Whole>> = Mutex::new(None);

/// Whether `path` stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What messages call `path`.
pub(crate) fn name(path: &Path) -> String {
    match is_stdin(path) {
        true => STDIN.to_owned(),
        false => path.display().to_string(),
    }
}

/// All that is in the file `path`, which `flag` names, or in standard input.
///
/// # Errors
/// If it cannot be read, has more than `most` bytes, or another flag has standard input already.
pub(crate) fn read(path: &Path, flag: &'static str, most: u64) -> Result<Vec<u8>, String> {
    if is_stdin(path) {
        return Ok(stdin(flag, most)?.to_vec());
    }
    let file = File::open(path);
    file.map_err(|error| error.to_string())
        .and_then(|file| bounded(file, most))
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// All that is in standard input, for the flag `flag`.
///
/// # Errors
/// If it cannot be read, has more than `most` bytes, or another flag has it already.
pub(crate) fn stdin(flag: &'static str, most: u64) -> Result<Arc<[u8]>, String> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    match &*read {
        Some((before, bytes)) if *before == flag => Ok(Arc::clone(bytes)),
        Some((before, _)) => Err(format!(
            "{STDIN} is named twice, for {before} and for {flag}; name a file for one of them"
        )),
        None => {
            let bytes = bounded(io::stdin().lock(), most);
            let bytes = bytes.map_err(|error| format!("cannot read {STDIN}: {error}"))?;
            Ok(Arc::clone(&read.insert((flag, bytes.into())).1))
        }
    }
}

fn bounded(input: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let length = input.take(most + 1).read_to_end(&mut bytes);
    match length.map_err(|error| error.to_string())? as u64 > most {
        true => Err(format!("it is larger than {most} bytes")),
        false => Ok(bytes),
    }
}
