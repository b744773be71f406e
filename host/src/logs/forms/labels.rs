//! The labels that the host sets.

/// The name of the function, a label of its resource.
pub(in crate::logs) const FUNCTION: &str = "function_name";
/// The id of the execution.
pub(in crate::logs) const EXECUTION: &str = "execution_id";
/// The name of the job that caused the execution, as Cloud Scheduler names it.
pub(in crate::logs) const JOB: &str = "job_id";
/// The caller of a private function.
pub(in crate::logs) const CALLER: &str = "caller";

/// What a message that a guest logged belongs to. A guest may set it in lines that it prints, too.
pub(in crate::logs) const CONTEXT: &str = "context";

/// Whether `label` is reserved for the host, so that guests cannot set it.
pub(in crate::logs) fn is_reserved(label: &str) -> bool {
    [EXECUTION, JOB, CALLER].contains(&label)
}
