//! What is said of entries that cannot be read.

use crate::logs::Unreadable;
use crate::stderr;

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
        let Unreadable { parts, entries } = std::mem::take(&mut self.untold);
        self.is_told |= parts + entries > 0;
        if parts > 0 {
            stderr::line!(
                "warning: {parts} parts of the log could not be read; entries in them are missing"
            );
        }
        if entries > 0 {
            stderr::line!("warning: {entries} log entries could not be read and are left out");
        }
    }
}
