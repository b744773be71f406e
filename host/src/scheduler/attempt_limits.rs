//! How many attempts may be under way at once: in all, of one job, and at one server.
//!
//! An attempt holds a permit until it ends. A target that hangs keeps its permits until the deadline, so one job gets
//! [`MOST_OF_A_JOB`] at most, and one server a share that is smaller when fewer permits are free. So a few servers that hang keep
//! no others from being called. Nineteen that hang at once take all permits (2,048, then 512 twice, then 64 sixteen times), if
//! there are jobs enough that call them; then nothing begins until an attempt ends, at its deadline at the latest.

use std::collections::HashMap;
use std::sync::Arc;

use super::Job;
use crate::store::{JobId, PendingRun};

/// Attempts of one job at once.
pub(super) const MOST_OF_A_JOB: usize = 256;
/// The smallest share of a server.
const LEAST: usize = 32;

/// What an attempt counts towards, beside the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    job: JobId,
    /// The scheme, host and port.
    server: Arc<str>,
}

/// The limits, and how far they are used.
#[derive(Debug)]
pub(super) struct AttemptLimits {
    total: usize,
    free: usize,
    of_jobs: HashMap<JobId, usize>,
    of_servers: HashMap<Arc<str>, usize>,
    /// Jobs that could not begin because of their server, so that they need not be read to know that they still cannot.
    held_up: HashMap<JobId, Arc<str>>,
    /// The pass over pending runs that the next round goes on with, if the last one did not take all.
    pub(super) pass: Option<Pass>,
}

/// How far a pass over pending runs has come that takes several rounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    /// The last run that was considered.
    pub(super) last: PendingRun,
    /// Whether a run up to that one may be able to begin now that was not when it was considered, or is new.
    pub(super) is_behind: bool,
}

impl Permit {
    /// The one that an attempt of `job` needs.
    pub(super) fn of(id: JobId, job: &Job) -> Self {
        let uri = &job.target.uri;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let server = format!("{scheme}://{}", authority.to_ascii_lowercase());
        Self {
            job: id,
            server: server.into(),
        }
    }
}

impl AttemptLimits {
    /// With `total` permits.
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            free: total,
            of_jobs: HashMap::new(),
            of_servers: HashMap::new(),
            held_up: HashMap::new(),
            pass: None,
        }
    }

    /// How many permits are free.
    pub(super) fn free(&self) -> usize {
        self.free
    }

    /// Whether it is known that no attempt of `job` may begin now.
    pub(super) fn is_held_up(&self, job: JobId) -> bool {
        let is_full = |server| self.is_server_full(server);
        self.is_job_full(job) || self.held_up.get(&job).is_some_and(is_full)
    }

    /// Takes `permit`. False if there is none: then its job is held up.
    pub(super) fn try_take(&mut self, permit: &Permit) -> bool {
        if self.free == 0 || self.is_job_full(permit.job) {
            return false;
        }
        if self.is_server_full(&permit.server) {
            let server = Arc::clone(&permit.server);
            self.held_up.insert(permit.job, server);
            return false;
        }
        self.free -= 1;
        *self.of_jobs.entry(permit.job).or_default() += 1;
        let server = Arc::clone(&permit.server);
        *self.of_servers.entry(server).or_default() += 1;
        true
    }

    /// Returns a permit that was taken.
    pub(super) fn release(&mut self, permit: &Permit) {
        self.free += 1;
        self.note_behind();
        decrement(&mut self.of_jobs, &permit.job);
        decrement(&mut self.of_servers, &permit.server);
    }

    /// Notes that runs may be able to begin that a pass under way has left behind. It is followed by another one.
    pub(super) fn note_behind(&mut self) {
        if let Some(pass) = &mut self.pass {
            pass.is_behind = true;
        }
    }

    /// Forgets why `job` could not begin: it may call another server now.
    pub(super) fn forget(&mut self, job: JobId) {
        self.held_up.remove(&job);
    }

    /// Forgets which jobs could not begin, when all can.
    pub(super) fn forget_all(&mut self) {
        self.held_up.clear();
    }

    fn is_job_full(&self, job: JobId) -> bool {
        self.of_jobs.get(&job).copied().unwrap_or(0) >= MOST_OF_A_JOB
    }

    fn is_server_full(&self, server: &Arc<str>) -> bool {
        self.of_servers.get(server).copied().unwrap_or(0) >= self.share()
    }

    /// What a server may have: half of all permits while half are free, an eighth while a quarter is.
    fn share(&self) -> usize {
        let part = match self.free {
            free if free > self.total / 2 => 2,
            free if free > self.total / 4 => 8,
            _ => 64,
        };
        (self.total / part).max(LEAST)
    }
}

fn decrement<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::JobSettings;

    fn permit(job: JobId, uri: &str) -> Permit {
        let settings = JobSettings {
            schedule: "* * * * *".into(),
            uri: uri.into(),
            ..JobSettings::default()
        };
        Permit::of(job, &Job::read(&settings).unwrap())
    }

    /// Takes permits until there are none for these, and returns how many there were.
    fn fill(limits: &mut AttemptLimits, mut next: impl FnMut(JobId) -> Permit) -> usize {
        (0..)
            .take_while(|taken| limits.try_take(&next(*taken)))
            .count()
    }

    #[test]
    fn paths_and_the_case_of_a_name_make_no_other_server() {
        let one = permit(1, "http://A.example:80/x?a=1");
        assert_eq!(one, permit(1, "http://a.example:80/y"));
        assert_ne!(one, permit(1, "http://a.example:81/x"));
        assert_ne!(one, permit(1, "https://a.example:80/x"));
        assert_ne!(one, permit(2, "http://a.example:80/x"));
    }

    #[test]
    fn a_job_has_its_limit_and_others_at_the_same_server_begin() {
        let mut limits = AttemptLimits::new(4_096);
        let taken = fill(&mut limits, |_| permit(1, "http://a/"));
        assert_eq!(taken, MOST_OF_A_JOB);
        assert!(limits.is_held_up(1));
        assert!(limits.try_take(&permit(2, "http://a/")));
    }

    #[test]
    fn two_thousand_jobs_may_call_one_server_at_once() {
        let mut limits = AttemptLimits::new(4_096);
        let taken = fill(&mut limits, |job| permit(job, "http://a/"));
        assert_eq!(taken, 2_048);
        assert!(limits.is_held_up(2_048));
        limits.forget(2_048);
        assert!(!limits.is_held_up(2_048));
    }

    #[test]
    fn where_many_servers_hang_another_one_is_called() {
        let mut limits = AttemptLimits::new(4_096);
        for server in 0..16 {
            let uri = format!("http://hangs-{server}/");
            let taken = fill(&mut limits, |job| permit(job, &uri));
            assert!(taken >= LEAST, "{taken}");
        }
        assert!(limits.free() > 0);
        assert!(limits.try_take(&permit(1, "http://other/")));
    }

    #[test]
    fn a_permit_that_is_released_can_be_taken_again() {
        let mut limits = AttemptLimits::new(4_096);
        let job = permit(1, "http://a/");
        fill(&mut limits, |_| job.clone());
        limits.release(&job);
        assert!(!limits.is_held_up(1));
        assert!(limits.try_take(&job));
        for _ in 0..MOST_OF_A_JOB {
            limits.release(&job);
        }
        assert_eq!(limits.free(), 4_096);
        assert!(limits.of_jobs.is_empty() && limits.of_servers.is_empty());
    }
}
