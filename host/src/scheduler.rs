//! Jobs: schedules, runs and attempts.
//!
//! A [`Schedule`] says when a job is due.

mod schedule;
mod zones;

pub use schedule::{FieldError, Occurrence, Schedule, ScheduleError, Shift};
