//! What is counted, as text that Prometheus reads: the OpenMetrics format, version 1.0.
//!
//! Labels are names of functions and words of this program. Nothing that a caller chooses becomes one.

use std::fmt;
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::job_exposition;
use crate::scheduler::JobFigures;
use crate::serve::functions::catalog::Account;
use crate::serve::functions::counters::{BOUNDS, Histogram, OUTCOMES, REASONS};
use crate::serve::trust::board::KeyAccount;
use crate::serve::trust::token_counters::Counts;
use host_sandbox::memory::SandboxUsage;

/// Its name and its value.
type Label<'a> = (&'a str, &'a str);

/// Everything that is told.
#[derive(Debug)]
pub(in crate::serve) struct Figures {
    pub(in crate::serve) accounts: Vec<Account>,
    pub(in crate::serve) refused_tokens: Counts,
    pub(in crate::serve) keys: Vec<KeyAccount>,
    /// What the scheduler counted, if there is one.
    pub(in crate::serve) jobs: Option<JobFigures>,
    pub(in crate::serve) now: SystemTime,
    pub(in crate::serve) sandbox: SandboxUsage,
    pub(in crate::serve) log_written: u64,
    pub(in crate::serve) log_dropped: u64,
    pub(in crate::serve) log_kept: u64,
    pub(in crate::serve) log_lost: u64,
    /// Segments.
    pub(in crate::serve) log_damaged: u64,
    /// Sent on, and lost on the way.
    pub(in crate::serve) exported_logs: (u64, u64),
    pub(in crate::serve) exported_spans: (u64, u64),
    /// When the process began to serve, since the Unix epoch.
    pub(in crate::serve) started: Duration,
    pub(in crate::serve) is_ready: bool,
}

impl Figures {
    /// The text of a scrape.
    pub(in crate::serve) fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // A `String` takes every write.
        let _ = encode(&mut text, &registry);
        text
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.executions(encoder)?;
        self.instances(encoder)?;
        self.bodies(encoder)?;
        self.tokens(encoder)?;
        if let Some(jobs) = &self.jobs {
            job_exposition::encode(jobs, encoder)?;
        }
        self.sandbox(encoder)?;
        self.process(encoder)
    }
}

impl Figures {
    fn executions(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Executions that have ended, by outcome";
        let ended = self.accounts.iter().flat_map(|account| {
            let labels = |outcome| [("function", &*account.name), ("outcome", outcome)];
            OUTCOMES.map(labels).into_iter().zip(account.totals.ended)
        });
        counters(encoder, "host_executions", help, None, ended)?;
        let help = "Requests for a function that got no execution, by reason";
        let refused = self.accounts.iter().flat_map(|account| {
            let labels = |reason| [("function", &*account.name), ("reason", reason)];
            REASONS.map(labels).into_iter().zip(account.totals.refused)
        });
        counters(encoder, "host_requests_refused", help, None, refused)?;
        let help = "Time from the start of an execution to its end";
        self.histograms(encoder, "host_execution_duration", help, |account| {
            &account.totals.durations
        })?;
        let help = "Time that it took to make an instance";
        self.histograms(encoder, "host_instantiation_duration", help, |account| {
            &account.totals.instantiations
        })?;
        let help = "Turns in which an execution held its worker for more than 20 ms";
        let overruns = self.each(|account| account.totals.overruns);
        counters(encoder, "host_turn_overruns", help, None, overruns)
    }

    fn instances(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Executions under way";
        let running = self.each(|account| account.totals.running);
        gauges(encoder, "host_instances_busy", help, running)?;
        let help = "Executions at once, at most";
        let most = self.each(|account| account.instances as u64);
        gauges(encoder, "host_instances_limit", help, most)?;
        let help = "Requests that wait for an instance";
        let waiting = self.each(|account| account.waiting as u64);
        gauges(encoder, "host_queue_length", help, waiting)?;
        // Of functions that keep instances.
        let help = "Warm instances that are idle";
        let idle = self.accounts.iter().filter_map(|account| {
            let warm = account.warm.as_ref()?;
            Some(([("function", &*account.name)], warm.idle as u64))
        });
        gauges(encoder, "host_instances_warm", help, idle)?;
        let help = "Warm instances that were let go of, by reason, since the function was loaded";
        let retired = self.accounts.iter().flat_map(|account| {
            let labels = |reason| [("function", &*account.name), ("reason", reason)];
            let retired = account.warm.iter().flat_map(|warm| &warm.retired);
            retired.map(move |(reason, count)| (labels(reason.word()), *count))
        });
        counters(encoder, "host_instances_retired", help, None, retired)
    }

    fn bodies(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let bytes = Some(&Unit::Bytes);
        let help = "Request bodies that functions took";
        let received = self.each(|account| account.totals.received);
        counters(encoder, "host_request_body", help, bytes, received)?;
        let help = "Response bodies that functions gave";
        let sent = self.each(|account| account.totals.sent);
        counters(encoder, "host_response_body", help, bytes, sent)
    }

    fn tokens(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Tokens that were refused, by trusted issuer and reason";
        let refused = self.refused_tokens.iter().map(|((issuer, reason), count)| {
            let issuer = issuer.as_ref().map_or("", |issuer| issuer.as_str());
            ([("issuer", issuer), ("reason", *reason)], *count)
        });
        counters(encoder, "host_tokens_refused", help, None, refused)?;
        let help = "Attempts to fetch the keys of an issuer, by result";
        let fetches = self.keys.iter().flat_map(|account| {
            let labels = |result| [("issuer", account.issuer.as_str()), ("result", result)];
            [
                (labels("success"), account.successes),
                (labels("failure"), account.failures),
            ]
        });
        counters(encoder, "host_issuer_fetches", help, None, fetches)?;
        let help = "Time since the keys of an issuer were fetched";
        let name = "host_issuer_keys_age";
        let seconds = Some(&Unit::Seconds);
        let mut family = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        for account in &self.keys {
            let Some(fetched) = account.fetched else {
                continue;
            };
            let age = self.now.duration_since(fetched).unwrap_or_default();
            let labels = [("issuer", account.issuer.as_str())];
            let mut gauge = family.encode_family(&labels)?;
            gauge.encode_gauge(&age.as_secs_f64())?;
        }
        let help = "Keys of an issuer that cannot be used, in the set that was fetched last";
        let left_out = self.keys.iter().map(|account| {
            let labels = [("issuer", account.issuer.as_str())];
            (labels, account.left_out as u64)
        });
        gauges(encoder, "host_issuer_keys_left_out", help, left_out)
    }

    fn sandbox(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let bytes = Some(&Unit::Bytes);
        let usage = &self.sandbox;
        let help = "Memory that all executions hold";
        let memory =
            encoder.encode_descriptor("host_instances_memory", help, bytes, MetricType::Gauge)?;
        gauge(memory, usage.memory)?;
        let help = "Memory that all executions may hold together";
        let name = "host_instances_memory_limit";
        let memory = encoder.encode_descriptor(name, help, bytes, MetricType::Gauge)?;
        gauge(memory, usage.memory_limit)?;
        let help = "Components compiled; not those whose compiled form was kept";
        let name = "host_components_compiled";
        let compiled = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        counter(compiled, usage.compiled)?;
        let help = "Time spent on compiling components";
        let name = "host_components_compile_time";
        let seconds = Some(&Unit::Seconds);
        let mut time = encoder.encode_descriptor(name, help, seconds, MetricType::Counter)?;
        time.encode_counter::<NoLabelSet, _, f64>(&usage.compile_time.as_secs_f64(), None)
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Log entries, by what became of them: printed or not, kept on disk or not";
        let fates = [
            ("written", self.log_written),
            ("dropped", self.log_dropped),
            ("kept", self.log_kept),
            ("lost", self.log_lost),
        ];
        let fates = fates.map(|(fate, count)| ([("fate", fate)], count));
        counters(encoder, "host_log_entries", help, None, fates)?;
        let help = "Segments of the kept log that were found to be cut, damaged or unreadable";
        let name = "host_log_segments_damaged";
        let damaged = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        counter(damaged, self.log_damaged)?;
        let help = "Log records and spans for the collector, by what became of them";
        let signals = [("logs", self.exported_logs), ("spans", self.exported_spans)];
        let records = signals.into_iter().flat_map(|(signal, (sent, lost))| {
            let labels = |fate| [("signal", signal), ("fate", fate)];
            [(labels("sent"), sent), (labels("lost"), lost)]
        });
        counters(encoder, "host_otlp_records", help, None, records)?;
        let help = "Whether all functions and the store are as they should be";
        let ready = encoder.encode_descriptor("host_ready", help, None, MetricType::Gauge)?;
        gauge(ready, u64::from(self.is_ready))?;
        let help = "When the process began to serve, since the Unix epoch";
        let name = "process_start_time";
        let seconds = Some(&Unit::Seconds);
        let mut start = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        start.encode_gauge(&self.started.as_secs_f64())?;
        let help = "The program";
        let mut build = encoder.encode_descriptor("host_build", help, None, MetricType::Info)?;
        build.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }

    /// What there is of each function.
    fn each(&self, of: impl Fn(&Account) -> u64) -> impl Iterator<Item = ([Label<'_>; 1], u64)> {
        let accounts = self.accounts.iter();
        accounts.map(move |account| ([("function", &*account.name)], of(account)))
    }

    fn histograms(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        of: impl Fn(&Account) -> &Histogram,
    ) -> fmt::Result {
        let seconds = Some(&Unit::Seconds);
        let mut family = encoder.encode_descriptor(name, help, seconds, MetricType::Histogram)?;
        for account in &self.accounts {
            let labels = [("function", &*account.name)];
            let Histogram { sum, buckets } = of(account);
            let bounds = BOUNDS.map(Duration::from_micros);
            histogram(family.encode_family(&labels)?, &bounds, *sum, buckets)?;
        }
        Ok(())
    }
}

/// Counters of one name.
pub(super) fn counters<'a, const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    counts: impl IntoIterator<Item = ([Label<'a>; N], u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
    for (labels, count) in counts {
        counter(family.encode_family(&labels)?, count)?;
    }
    Ok(())
}

/// Gauges of one name.
pub(super) fn gauges<'a, const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = ([Label<'a>; N], u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        gauge(family.encode_family(&labels)?, value)?;
    }
    Ok(())
}

fn counter(mut metric: MetricEncoder<'_>, value: u64) -> fmt::Result {
    metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

pub(super) fn gauge(mut metric: MetricEncoder<'_>, value: u64) -> fmt::Result {
    metric.encode_gauge(&i64::try_from(value).unwrap_or(i64::MAX))
}

/// Times that make `sum` together: how many are within each of `bounds` and not within the one before, and above all.
pub(super) fn histogram(
    mut metric: MetricEncoder<'_>,
    bounds: &[Duration],
    sum: Duration,
    counts: &[u64],
) -> fmt::Result {
    let bounds = bounds.iter().map(Duration::as_secs_f64);
    let counts = counts.iter().copied();
    let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(counts.clone()).collect();
    metric.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), counts.sum(), &buckets, None)
}
