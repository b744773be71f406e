//! What is said of entries that cannot be read.

use std::ffi::OsStr;
use std::path::Path;

use crate::logs::Unreadable;
use crate::stderr;

/// How many files are named.
const NAMED: usize = 10;

/// Says it once, and in the end of what came later.
#[derive(Default)]
pub(super) struct Damage {
    untold: Unreadable,
    is_told: bool,
}

impl Damage {
    /// Counts `more`, and says so unless something was said before.
    pub(super) fn note(&mut self, more: Unreadable) {
        self.untold += more;
        if !self.is_told {
            self.tell();
        }
    }

    /// Says what was not said yet.
    pub(super) fn tell(&mut self) {
        let Unreadable {
            parts,
            entries,
            files,
        } = std::mem::take(&mut self.untold);
        self.is_told |= parts + entries > 0;
        if parts > 0 {
            stderr::line!(
                "warning: {parts} parts of the log could not be read; entries in them are missing"
            );
        }
        if entries > 0 {
            stderr::line!("warning: {entries} log entries could not be read and are left out");
        }
        if let Some(directory) = files.first().and_then(|file| file.parent()) {
            let names = files.iter().filter_map(|file| file.file_name());
            stderr::line!("{}", named(directory, &names.collect::<Vec<_>>()));
        }
    }
}

/// Which files of `directory` they are in.
fn named(directory: &Path, names: &[&OsStr]) -> String {
    let shown = names.iter().take(NAMED);
    let shown: Vec<_> = shown.map(|name| name.to_string_lossy()).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    // A host elsewhere does not say where its files are.
    let of = match directory.as_os_str().is_empty() {
        true => String::new(),
        false => format!(" of {}", directory.display()),
    };
    format!("They are in {}{of}{more}.", shown.join(", "))
}
