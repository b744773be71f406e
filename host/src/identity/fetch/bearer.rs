//! The token that is sent along, from its file.

use std::io::{self, Read};
use std::path::Path;

/// The longest that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// What stands in the file at `path`.
pub(super) fn read_bearer(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut token = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST as u64 + 1).read_to_string(&mut token)?;
    match token.len() > LONGEST {
        true => Err(io::Error::other("it is too long for a token")),
        false => Ok(token),
    }
}
