//! What is counted, as text for a scrape.

pub(in crate::serve) mod exposition;
pub(in crate::serve) mod job_exposition;
