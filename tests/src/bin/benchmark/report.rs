//! The figures and their ratios.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::load::Load;
use super::server::Kind;

/// Everything measured. Of several rounds the median counts.
#[derive(Default)]
pub(crate) struct Figures {
    rates: BTreeMap<Kind, Vec<f64>>,
    p99s: BTreeMap<Kind, Vec<f64>>,
    memory: BTreeMap<Kind, Vec<f64>>,
    starts: BTreeMap<Kind, Vec<f64>>,
    cores: f64,
}

impl Figures {
    pub(crate) fn note_load(&mut self, kind: Kind, load: Load, memory: u64) {
        self.rates.entry(kind).or_default().push(load.rate);
        let p99 = load.p99.as_secs_f64() * 1e3;
        self.p99s.entry(kind).or_default().push(p99);
        let mebibytes = memory as f64 / f64::from(1 << 20);
        self.memory.entry(kind).or_default().push(mebibytes);
    }

    pub(crate) fn note_start(&mut self, kind: Kind, time: Duration) {
        self.starts
            .entry(kind)
            .or_default()
            .push(time.as_secs_f64() * 1e3);
    }

    pub(crate) fn note_cores(&mut self, share: f64) {
        self.cores = share;
    }

    /// The report.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        self.write(&mut text)
            .expect("writing to a string does not fail");
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "{:15} {:>10} {:>8} {:>11} {:>13}",
            "", "requests/s", "p99 ms", "memory MiB", "to answer ms"
        )?;
        for kind in Kind::ALL {
            writeln!(
                out,
                "{:15} {:>10.0} {:>8.2} {:>11.0} {:>13}",
                kind.name(),
                median(&self.rates, kind),
                median(&self.p99s, kind),
                median(&self.memory, kind),
                match median(&self.starts, kind) {
                    time if time.is_nan() => "-".into(),
                    time => format!("{time:.0}"),
                }
            )?;
        }
        writeln!(out)?;
        let rate = |kind| median(&self.rates, kind);
        let (host, hyper, wasmtime) = (Kind::Host, Kind::Hyper, Kind::Wasmtime);
        let claims = [
            (
                "requests/s of wasmtime serve",
                rate(host) / rate(wasmtime),
                ">= 5.00",
            ),
            (
                "requests/s of plain hyper",
                rate(host) / rate(hyper),
                ">= 0.30",
            ),
            (
                "p99 of wasmtime serve",
                median(&self.p99s, host) / median(&self.p99s, wasmtime),
                "<= 0.50",
            ),
            (
                "first answer of wasmtime serve",
                median(&self.starts, host) / median(&self.starts, wasmtime),
                "<= 1.00",
            ),
            (
                "memory after load, of 80 MiB",
                median(&self.memory, host) / 80.0,
                "<= 1.00",
            ),
            ("cores used by 4 connections", self.cores, ">= 0.90"),
        ];
        for (what, ratio, wanted) in claims {
            writeln!(out, "{what:32} {ratio:>6.2}  (wanted {wanted})")?;
        }
        Ok(())
    }
}

fn median(figures: &BTreeMap<Kind, Vec<f64>>, kind: Kind) -> f64 {
    let mut all = figures.get(&kind).cloned().unwrap_or_default();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
