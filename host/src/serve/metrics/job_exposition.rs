//! What is counted of jobs, for a scrape.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::exposition::{counter, gauge};
use crate::scheduler::{JobFigures, LATENESS, OUTCOMES};

/// Tells `figures`.
pub(in crate::serve) fn encode(
    figures: &JobFigures,
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let help = "Jobs, by state";
    let mut family = encoder.encode_descriptor("host_jobs", help, None, MetricType::Gauge)?;
    let states = [
        ("enabled", figures.jobs.enabled),
        ("paused", figures.jobs.paused),
    ];
    for (state, count) in states {
        gauge(family.encode_family(&[("state", state)])?, count.into())?;
    }
    let help = "Runs of jobs that are over, by outcome";
    let mut family = encoder.encode_descriptor("host_job_runs", help, None, MetricType::Counter)?;
    for (outcome, count) in OUTCOMES.iter().zip(figures.runs) {
        let labels = [("outcome", outcome.as_str())];
        counter(family.encode_family(&labels)?, count)?;
    }
    let help = "Attempts of runs that have ended, by result";
    let name = "host_job_attempts";
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (result, count) in ["success", "failure"].into_iter().zip(figures.attempts) {
        counter(family.encode_family(&[("result", result)])?, count)?;
    }
    let help = "Attempts under way";
    let name = "host_job_attempts_going";
    gauge(
        encoder.encode_descriptor(name, help, None, MetricType::Gauge)?,
        figures.going,
    )?;
    lateness(figures, encoder)?;
    let help = "When the next job is due, since the Unix epoch; 0 if none is";
    let name = "host_jobs_next_due";
    let seconds = Some(&Unit::Seconds);
    let mut next = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
    let time = figures.jobs.next_due.map_or(0, |next| next.as_second());
    next.encode_gauge(&time)
}

fn lateness(figures: &JobFigures, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Time from when an attempt was due to its beginning";
    let seconds = Some(&Unit::Seconds);
    let name = "host_job_lateness";
    let mut histogram = encoder.encode_descriptor(name, help, seconds, MetricType::Histogram)?;
    let bounds = LATENESS.map(|bound| Duration::from_millis(bound).as_secs_f64());
    let bounds = bounds.into_iter().chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.zip(figures.lateness).collect();
    histogram.encode_histogram::<NoLabelSet>(
        figures.late.as_secs_f64(),
        figures.lateness.iter().sum(),
        &buckets,
        None,
    )
}
