//! A strict reader of what scrapers read: the OpenMetrics text format, version 1.0.
//!
//! What the format says of metadata, names of samples, labels and histograms is held to; see
//! <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>.

use std::collections::{BTreeMap, BTreeSet};

/// A scrape.
#[derive(Clone, Debug, Default)]
pub struct OpenMetrics {
    families: Vec<Family>,
    /// By name and labels, as in `up{job="a"}`, the labels in the order of their names.
    samples: BTreeMap<String, f64>,
}

/// Samples with one name and one meaning.
#[derive(Clone, Debug, Default)]
struct Family {
    name: String,
    kind: Option<String>,
    unit: Option<String>,
    help: Option<String>,
    samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl OpenMetrics {
    /// Reads a scrape.
    ///
    /// # Errors
    /// The first thing that is not as the format has it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text
            .strip_suffix("# EOF\n")
            .ok_or("it does not end with `# EOF`")?;
        let mut metrics = Self::default();
        for line in text.split_terminator('\n') {
            metrics
                .read(line)
                .map_err(|fault| format!("{fault}: {line:?}"))?;
        }
        for family in &metrics.families {
            family
                .check()
                .map_err(|fault| format!("{}: {fault}", family.name))?;
        }
        metrics.index()?;
        Ok(metrics)
    }

    /// The value of the sample that is written as `series`, its labels in the order of their names.
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        match self.samples.get(series) {
            Some(value) => *value,
            None => panic!("no sample {series}; there are {:#?}", self.samples),
        }
    }

    /// Whether there is a sample that is written as `series`.
    pub fn has(&self, series: &str) -> bool {
        self.samples.contains_key(series)
    }

    /// The names of the families, in their order.
    pub fn names(&self) -> Vec<&str> {
        let names = self.families.iter();
        names.map(|family| family.name.as_str()).collect()
    }

    /// All values of the label `name`.
    pub fn label_values(&self, name: &str) -> BTreeSet<&str> {
        let samples = self.families.iter().flat_map(|family| &family.samples);
        samples
            .filter_map(|sample| sample.labels.get(name))
            .map(String::as_str)
            .collect()
    }

    fn read(&mut self, line: &str) -> Result<(), String> {
        let Some(metadata) = line.strip_prefix("# ") else {
            let sample = Sample::read(line)?;
            let family = self.families.last_mut().ok_or("a sample of no family")?;
            if !family.takes(&sample.name) {
                return Err(format!("a sample that {} does not have", family.name));
            }
            family.samples.push(sample);
            return Ok(());
        };
        let mut words = metadata.splitn(3, ' ');
        let mut word = || words.next().ok_or("metadata has three words");
        let (key, name, value) = (word()?, word()?, word()?);
        let family = self.family(name)?;
        let slot = match key {
            "HELP" => &mut family.help,
            "TYPE" => &mut family.kind,
            "UNIT" => &mut family.unit,
            _ => return Err("unknown metadata".into()),
        };
        match slot.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err("metadata is given twice".into()),
        }
    }

    /// The family that metadata with `name` is about: the last, or a new one.
    fn family(&mut self, name: &str) -> Result<&mut Family, String> {
        check_name(name, ":")?;
        let is_last = self.families.last().is_some_and(|last| last.name == name);
        if !is_last {
            if self.families.iter().any(|family| family.name == name) {
                return Err("a family in two places".into());
            }
            self.families.push(Family {
                name: name.to_owned(),
                ..Family::default()
            });
        }
        let family = self.families.last_mut().ok_or("there is one")?;
        match family.samples.is_empty() {
            true => Ok(family),
            false => Err("metadata after samples".into()),
        }
    }

    fn index(&mut self) -> Result<(), String> {
        for sample in self.families.iter().flat_map(|family| &family.samples) {
            let series = sample.series();
            if self.samples.insert(series.clone(), sample.value).is_some() {
                return Err(format!("{series} is there twice"));
            }
        }
        Ok(())
    }
}

impl Family {
    fn takes(&self, sample: &str) -> bool {
        let Some(suffix) = sample.strip_prefix(&self.name) else {
            return false;
        };
        match self.kind.as_deref() {
            Some("counter") => suffix == "_total",
            Some("gauge") => suffix.is_empty(),
            Some("histogram") => ["_bucket", "_count", "_sum"].contains(&suffix),
            Some("info") => suffix == "_info",
            _ => false,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.kind.is_none() || self.help.as_ref().is_none_or(String::is_empty) {
            return Err("it has no TYPE or no HELP".into());
        }
        if let Some(unit) = &self.unit
            && !self.name.ends_with(&format!("_{unit}"))
        {
            return Err(format!("its name does not end with its unit, {unit}"));
        }
        if self.name.ends_with("_total") {
            return Err("a family's name has no `_total`; its samples do".into());
        }
        match self.kind.as_deref() {
            Some("histogram") => self.check_histograms(),
            Some("counter") if self.samples.iter().any(|sample| sample.value < 0.0) => {
                Err("a counter is below 0".into())
            }
            Some("info") if self.samples.iter().any(|sample| sample.value != 1.0) => {
                Err("an info is not 1".into())
            }
            _ => Ok(()),
        }
    }

    /// Buckets are cumulative, in the order of their bounds, and the last one, without a bound, has all.
    fn check_histograms(&self) -> Result<(), String> {
        let mut left = self.samples.as_slice();
        while let Some(first) = left.first() {
            let mut labels = first.labels.clone();
            labels.remove("le");
            let is_of = |sample: &&Sample| {
                let mut others = sample.labels.clone();
                others.remove("le");
                others == labels
            };
            let length = left.iter().take_while(is_of).count();
            let (one, rest) = left.split_at(length);
            check_histogram(one)?;
            left = rest;
        }
        Ok(())
    }
}

fn check_histogram(samples: &[Sample]) -> Result<(), String> {
    let (mut bounds, mut counts, mut sum, mut count) = (Vec::new(), Vec::new(), None, None);
    for sample in samples {
        match (sample.name.rsplit('_').next(), sample.labels.get("le")) {
            (Some("bucket"), Some(bound)) => {
                bounds.push(number(bound)?);
                counts.push(sample.value);
            }
            (Some("sum"), None) => sum = Some(sample.value),
            (Some("count"), None) => count = Some(sample.value),
            _ => return Err("a bucket has `le`, and nothing else does".into()),
        }
    }
    if !bounds.is_sorted_by(|a, b| a < b) || bounds.last() != Some(&f64::INFINITY) {
        return Err(format!("bounds do not ascend to +Inf: {bounds:?}"));
    }
    if !counts.is_sorted() {
        return Err(format!("buckets are not cumulative: {counts:?}"));
    }
    if counts.last().copied() != count || sum.is_none_or(|sum| sum < 0.0) {
        return Err("the count is not the last bucket, or there is no sum".into());
    }
    Ok(())
}

impl Sample {
    /// Reads `name value` or `name{key="value",…} value`; timestamps and exemplars are not made here.
    fn read(line: &str) -> Result<Self, String> {
        let (series, value) = line.rsplit_once(' ').ok_or("a sample has a value")?;
        let (name, labels) = match series.split_once('{') {
            None => (series, BTreeMap::new()),
            Some((name, labels)) => {
                let labels = labels.strip_suffix('}').ok_or("labels end with `}`")?;
                (name, read_labels(labels)?)
            }
        };
        check_name(name, ":")?;
        Ok(Self {
            name: name.to_owned(),
            labels,
            value: number(value)?,
        })
    }

    fn series(&self) -> String {
        if self.labels.is_empty() {
            return self.name.clone();
        }
        let labels = self.labels.iter();
        let labels: Vec<_> = labels
            .map(|(key, value)| format!("{key}=\"{value}\""))
            .collect();
        format!("{}{{{}}}", self.name, labels.join(","))
    }
}

fn read_labels(mut text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").ok_or("a label is `key=\"value\"`")?;
        check_name(name, "")?;
        let (value, rest) = read_value(rest)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name} is given twice"));
        }
        text = match rest.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            None if rest.is_empty() => rest,
            _ => return Err("labels are parted by commas".into()),
        };
    }
    Ok(labels)
}

/// A value to its closing quote, and what follows it.
fn read_value(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                _ => return Err("an unknown escape".into()),
            },
            _ => value.push(char),
        }
    }
    Err("a label's value has no end".into())
}

fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        _ if text.bytes().all(|byte| b"0123456789.eE+-".contains(&byte)) => text
            .parse()
            .map_err(|_| format!("{text:?} is not a number")),
        _ => Err(format!("{text:?} is not a number")),
    }
}

fn check_name(name: &str, further: &str) -> Result<(), String> {
    let is_initial = |c: char| c.is_ascii_alphabetic() || c == '_' || further.contains(c);
    let is_name = name.starts_with(is_initial)
        && name.chars().all(|c| is_initial(c) || c.is_ascii_digit())
        && !name.starts_with("__");
    is_name
        .then_some(())
        .ok_or_else(|| format!("{name:?} is not a name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
# HELP a Things.
# TYPE a counter
a_total{b=\"c\\\"\"} 1
# HELP d_seconds Times.
# TYPE d_seconds histogram
# UNIT d_seconds seconds
d_seconds_sum 2.5
d_seconds_count 3
d_seconds_bucket{le=\"0.1\"} 1
d_seconds_bucket{le=\"+Inf\"} 3
# EOF
";

    #[test]
    fn what_is_well_formed_is_read() {
        let metrics = OpenMetrics::parse(WHOLE).expect("it is well-formed");
        assert_eq!(metrics.value("a_total{b=\"c\"\"}"), 1.0);
        assert_eq!(metrics.value("d_seconds_bucket{le=\"0.1\"}"), 1.0);
        assert_eq!(metrics.names(), ["a", "d_seconds"]);
    }

    #[test]
    fn what_is_not_is_refused() {
        for (right, wrong) in [
            ("# EOF\n", ""),
            ("# EOF\n", "# EOF\n\n"),
            ("a_total", "a"),
            ("# TYPE a counter\n", ""),
            ("# HELP a Things.\n", ""),
            ("\\\"\"} 1", "\\x\"} 1"),
            ("{b=\"c\\\"\"}", "{b=\"c\",b=\"d\"}"),
            ("d_seconds seconds", "d_seconds bytes"),
            ("d_seconds_sum 2.5\n", ""),
            ("count 3", "count 4"),
            ("\"0.1\"} 1", "\"0.1\"} 4"),
            ("\"+Inf\"", "\"0.05\""),
            ("} 1", "} one"),
            ("# HELP d_seconds", "# HELP a"),
        ] {
            let text = WHOLE.replacen(right, wrong, 1);
            assert_ne!(text, WHOLE, "{right}");
            assert!(OpenMetrics::parse(&text).is_err(), "{text}");
        }
    }
}
