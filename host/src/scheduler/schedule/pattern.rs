//! Patterns of the library that does the calendar.
//!
//! To make one takes it some 50 µs, for it lists the years one by one; so those that were made last are kept.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::ScheduleError;

/// How many are kept: some 6 MB.
const MOST: usize = 1_024;

static KEPT: LazyLock<Mutex<HashMap<String, Arc<Cron>>>> = LazyLock::new(Mutex::default);

/// What the library makes of five fields that are known to be right.
pub(super) fn pattern(text: &str) -> Result<Arc<Cron>, ScheduleError> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pattern) = kept.get(text) {
        return Ok(Arc::clone(pattern));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let pattern = parser.parse(text);
    let pattern = Arc::new(pattern.map_err(|error| ScheduleError::Calendar(error.to_string()))?);
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(text.to_owned(), Arc::clone(&pattern));
    Ok(pattern)
}
