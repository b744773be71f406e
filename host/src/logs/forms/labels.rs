//! The labels that only the host sets.

/// The id of the execution.
pub(in crate::logs) const EXECUTION: &str = "execution_id";
/// The name of the job that caused the execution, as Cloud Scheduler names it.
pub(in crate::logs) const JOB: &str = "job_id";
/// The caller of a private function.
pub(in crate::logs) const CALLER: &str = "caller";

/// Whether `label` is reserved for the host, so that guests cannot set it.
pub(in crate::logs) fn is_reserved(label: &str) -> bool {
    [EXECUTION, JOB, CALLER].contains(&label)
}
