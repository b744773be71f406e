//! Jobs: what is called when, and what came of it.
//!
//! A [`Schedule`] says when a [`Job`] is due. Each due time makes a run, each try of a run is an attempt. This module uses
//! the store and the logs, and knows nothing of listeners or the command line: functions of this host are called over
//! HTTP like any other target.
//!
//! Commands and configuration files write what is wanted (`edit`). The scheduler's rounds alone write what is due and what
//! becomes of it (`round`), in the one process that serves from the store.

mod attempt;
mod attempt_limits;
mod client;
mod clock;
mod counters;
mod disabled;
mod dispatch;
mod due;
mod edit;
mod job;
mod note;
mod outcome;
mod own_listener;
mod recovery;
mod request;
mod retry;
mod retry_after;
mod round;
mod schedule;
mod shutdown;
mod trace;
mod zones;

pub use attempt::TokenSource;
pub use client::Reach;
pub(crate) use counters::{JobFigures, LATENESS, OUTCOMES};
pub use disabled::disabled;
pub use dispatch::{Scheduler, SchedulerError, SchedulerHandle};
pub use edit::{declare, next_due, pause, resume, update};
pub use job::{Job, JobError, Target, TokenFor, has_same_origin};
pub use note::AttemptNote;
pub use own_listener::{OwnListener, ShownCertificate};
pub use request::SCHEDULER;
pub use retry::Retry;
pub use schedule::{FieldError, Occurrence, Schedule, ScheduleError, Shift};
