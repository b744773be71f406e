//! Jobs: what is called when, and what came of it.
//!
//! A [`Schedule`] says when a [`Job`] is due. Each due time makes a run, each try of a run is an attempt. This room uses
//! the store and the logs, and knows nothing of listeners or the command line: functions of this host are called over
//! HTTP like any other target.

mod attempt;
mod client;
mod clock;
mod correction;
mod counters;
mod disabled;
mod dispatch;
mod due;
mod edit;
mod ending;
mod job;
mod note;
mod outcome;
mod own_listener;
mod places;
mod request;
mod retry;
mod retry_after;
mod round;
mod schedule;
mod trace;
mod undecided;
mod zones;

pub use attempt::TokenSource;
pub use client::Reach;
pub(crate) use counters::{JobFigures, LATENESS, OUTCOMES};
pub use disabled::disabled;
pub use dispatch::{Scheduler, SchedulerError, SchedulerHandle};
pub use edit::{declare, pause, resume, update};
pub use job::{Job, JobError, Target, TokenFor};
pub use note::AttemptNote;
pub use own_listener::{OwnListener, ShownCertificate};
pub use request::SCHEDULER;
pub use retry::Retry;
pub use schedule::{FieldError, Occurrence, Schedule, ScheduleError, Shift};
