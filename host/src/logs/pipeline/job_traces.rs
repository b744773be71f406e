//! Assigns entries to the job that caused them: those in a trace that was started by an attempt of the job.
//!
//! An attempt logs its trace id before it sends its request. The id is a random number that only the recipients of the
//! request know, and an execution's trace is read from its request by the host, not printed by the guest. So the
//! assignment does not depend on untrusted output, and it includes entries that come after the attempt got its
//! response.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::logs::entry::Entry;

/// How many attempts are remembered; the oldest are forgotten first.
const CAPACITY: usize = 65_536;

/// The jobs of recent attempts, by trace id.
#[derive(Debug, Default)]
pub(super) struct JobTraces {
    jobs: HashMap<[u8; 16], Arc<str>>,
    /// The trace ids, oldest first.
    order: VecDeque<[u8; 16]>,
}

impl JobTraces {
    /// Remembers the trace if `entry` names a job. Otherwise sets the job whose trace `entry` is in.
    pub(super) fn label(&mut self, entry: &mut Entry) {
        let Some(trace) = entry.trace else {
            return;
        };
        match &entry.job {
            Some(job) => self.remember(trace.trace_id, job),
            None => entry.job = self.jobs.get(&trace.trace_id).cloned(),
        }
    }

    fn remember(&mut self, trace: [u8; 16], job: &Arc<str>) {
        if self.jobs.insert(trace, Arc::clone(job)).is_some() {
            return;
        }
        self.order.push_back(trace);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.jobs.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::{Severity, Trace};

    fn trace(number: u64) -> Trace {
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&number.to_be_bytes());
        Trace {
            trace_id,
            span_id: [1; 8],
        }
    }

    fn attempt(number: u64) -> Entry {
        let note = Entry::note("nightly".into(), None, Severity::Info, "begins".into());
        note.of_job("nightly".into()).in_trace(trace(number))
    }

    fn job_of(traces: &mut JobTraces, number: u64) -> Option<Arc<str>> {
        let mut entry = Entry::started("f".into(), ExecutionId::random()).in_trace(trace(number));
        traces.label(&mut entry);
        entry.job
    }

    #[test]
    fn entries_in_the_trace_of_an_attempt_belong_to_its_job() {
        let mut traces = JobTraces::default();
        traces.label(&mut attempt(1));
        assert_eq!(job_of(&mut traces, 1).as_deref(), Some("nightly"));
        assert_eq!(job_of(&mut traces, 2), None);
        let mut outside = Entry::started("f".into(), ExecutionId::random());
        traces.label(&mut outside);
        assert_eq!(outside.job, None);
    }

    #[test]
    fn only_the_latest_attempts_are_remembered() {
        let mut traces = JobTraces::default();
        for number in 0..=CAPACITY as u64 {
            traces.label(&mut attempt(number));
            traces.label(&mut attempt(number));
        }
        assert_eq!(traces.order.len(), CAPACITY);
        assert_eq!(job_of(&mut traces, 0), None);
        assert!(job_of(&mut traces, 1).is_some() && job_of(&mut traces, CAPACITY as u64).is_some());
    }
}
