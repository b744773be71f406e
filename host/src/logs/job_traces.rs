//! Which entries a job has caused: those in a trace that one of its attempts began.
//!
//! An attempt says in its note which trace it sends along, and says so before it sends anything. A trace is a random
//! number that nobody knows but those it was sent to, and an execution's trace is what the host read in its request, not
//! what the guest prints. So no answer has to be believed, and entries are the job's from the first one to the last,
//! also those that come after the attempt has its answer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::entry::Entry;

/// How many attempts are remembered, the last ones that began.
const MOST: usize = 65_536;

/// The traces of attempts, by their ids.
#[derive(Debug, Default)]
pub(super) struct JobTraces {
    jobs: HashMap<[u8; 16], Arc<str>>,
    /// In the order in which they came.
    begun: VecDeque<[u8; 16]>,
}

impl JobTraces {
    /// Remembers the trace of a job's note, and has any other entry in such a trace name the job.
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
        self.begun.push_back(trace);
        if self.begun.len() > MOST
            && let Some(oldest) = self.begun.pop_front()
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
    fn what_happens_in_the_trace_of_an_attempt_is_its_jobs() {
        let mut traces = JobTraces::default();
        traces.label(&mut attempt(1));
        assert_eq!(job_of(&mut traces, 1).as_deref(), Some("nightly"));
        assert_eq!(job_of(&mut traces, 2), None);
        let mut outside = Entry::started("f".into(), ExecutionId::random());
        traces.label(&mut outside);
        assert_eq!(outside.job, None);
    }

    #[test]
    fn the_last_ones_are_remembered_and_no_more() {
        let mut traces = JobTraces::default();
        for number in 0..=MOST as u64 {
            traces.label(&mut attempt(number));
            traces.label(&mut attempt(number));
        }
        assert_eq!(traces.begun.len(), MOST);
        assert_eq!(job_of(&mut traces, 0), None);
        assert!(job_of(&mut traces, 1).is_some() && job_of(&mut traces, MOST as u64).is_some());
    }
}
