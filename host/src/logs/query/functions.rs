//! Which functions and which logs have entries.

use std::collections::BTreeSet;
use std::path::Path;

use memchr::memchr_iter;

use super::QueryError;
use super::tail::Tail;
use crate::logs::entry::FUNCTIONS_LOG;
use crate::logs::forms::json_text::unescape;
use crate::logs::forms::line_header::{LineHeader, is_function};
use crate::logs::segments::{Listing, Source};

/// The names of the functions and jobs in the log in `directory`. Segments that cannot be read are skipped.
///
/// # Errors
/// If the directory cannot be read.
pub fn logged_functions(directory: &Path) -> Result<BTreeSet<String>, QueryError> {
    let names = sources(directory)?;
    let names = names.iter().filter(|name| is_function(name));
    Ok(names.filter_map(|name| unescape(name)).collect())
}

/// The ids of the logs that have entries in `directory`. Segments that cannot be read are skipped.
///
/// # Errors
/// If the directory cannot be read.
pub fn log_ids(directory: &Path) -> Result<BTreeSet<String>, QueryError> {
    let ids = sources(directory)?.into_iter().filter_map(|source| {
        // The quote tells a log from a function.
        match source.strip_prefix(b"\"") {
            Some(id) => unescape(id),
            None => Some(FUNCTIONS_LOG.to_owned()),
        }
    });
    Ok(ids.collect())
}

/// The sources of all entries, as in the headers of their lines. Of closed segments only the index is read.
fn sources(directory: &Path) -> Result<BTreeSet<Vec<u8>>, QueryError> {
    let listing = Listing::read(directory);
    let listing = listing.map_err(|error| QueryError::Read(directory.to_owned(), error))?;
    let mut names = BTreeSet::new();
    for number in listing.newest_first() {
        match Source::open(directory, number) {
            Ok(Some(Source::Sealed(sealed))) => {
                let written = sealed.index().functions.iter();
                names.extend(written.map(|name| name.as_bytes().to_vec()));
            }
            Ok(Some(Source::Plain(file))) => {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                if let Ok(mut tail) = Tail::new(file, length) {
                    while let Ok(Some(lines)) = tail.lines_before() {
                        add(lines, &mut names);
                    }
                }
            }
            Ok(None) | Err(_) => {}
        }
    }
    Ok(names)
}

fn add(lines: &[u8], names: &mut BTreeSet<Vec<u8>>) {
    let mut start = 0;
    for end in memchr_iter(b'\n', lines) {
        if let Some(header) = LineHeader::parse(&lines[start..end])
            && !names.contains(header.source)
        {
            names.insert(header.source.to_vec());
        }
        start = end + 1;
    }
}
