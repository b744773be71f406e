//! What is counted of jobs, for a scrape.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::exposition::{counters, gauge, gauges, histogram};
use crate::scheduler::{JobFigures, LATENESS, OUTCOMES};

/// Tells `figures`.
pub(in crate::serve) fn encode(
    figures: &JobFigures,
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let help = "Jobs, by state";
    let states = [
        ([("state", "enabled")], figures.jobs.enabled.into()),
        ([("state", "paused")], figures.jobs.paused.into()),
    ];
    gauges(encoder, "host_jobs", help, states)?;
    let help = "Runs of jobs that are over, by outcome";
    let outcomes = OUTCOMES.map(|outcome| [("outcome", outcome.as_str())]);
    let runs = outcomes.into_iter().zip(figures.runs);
    counters(encoder, "host_job_runs", help, None, runs)?;
    let help = "Attempts of runs that have ended, by result";
    let results = [[("result", "success")], [("result", "failure")]];
    let attempts = results.into_iter().zip(figures.attempts);
    counters(encoder, "host_job_attempts", help, None, attempts)?;
    let help = "Attempts under way";
    let name = "host_job_attempts_going";
    gauge(
        encoder.encode_descriptor(name, help, None, MetricType::Gauge)?,
        figures.going,
    )?;
    let help = "Time from when an attempt was due to its beginning";
    let name = "host_job_lateness";
    let seconds = Some(&Unit::Seconds);
    histogram(
        encoder.encode_descriptor(name, help, seconds, MetricType::Histogram)?,
        &LATENESS.map(Duration::from_millis),
        figures.late,
        &figures.lateness,
    )?;
    let help = "When the next job is due, since the Unix epoch; 0 if none is";
    let name = "host_jobs_next_due";
    let mut next = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
    let time = figures.jobs.next_due.map_or(0, |next| next.as_second());
    next.encode_gauge(&time)
}
