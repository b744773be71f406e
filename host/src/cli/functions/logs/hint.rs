//! Which name was likely meant.

use std::path::Path;

use crate::logs::{Query, logged_functions};
use crate::stderr;
use crate::store::{did_you_mean, nearest};

/// Says, where `query` found nothing of the name in it, that there is nothing of that name at all, and which name is near.
/// One that has entries is right, whatever else was asked for.
pub(super) fn hint(directory: &Path, query: &Query) {
    let Some(name) = &query.function else {
        return;
    };
    // A log that cannot be read was told of before.
    let names = logged_functions(directory).unwrap_or_default();
    if !names.is_empty() && !names.contains(name) {
        let meant = did_you_mean(nearest(name, names).as_ref());
        stderr::line!("No entry is kept of `{name}`{meant}");
    }
}
