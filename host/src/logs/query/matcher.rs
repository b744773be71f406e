//! A query made ready to be put to blocks and lines.

use std::ops::{Range, RangeInclusive};

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use regex::Regex;

use super::record::Record;
use super::{Query, QueryError, literal};
use crate::logs::head::{EXECUTION, LineHead, Stamp};
use crate::logs::json::{JOB_LABEL, string};
use crate::logs::segments::Sealed;
use crate::logs::severity::Severity;

/// A query, compiled.
#[derive(Debug)]
pub(super) struct Matcher {
    /// What the head of a line tells.
    severities: u16,
    function: Option<Vec<u8>>,
    execution: Option<Vec<u8>>,
    start: Option<Stamp>,
    end: Option<Stamp>,
    /// What only the whole line tells.
    contains: Option<String>,
    regex: Option<Regex>,
    status: Option<RangeInclusive<u16>>,
    trace: Option<String>,
    job: Option<String>,
    /// What every line that is asked for holds as it is written.
    needle: Option<Finder<'static>>,
}

impl Matcher {
    /// # Errors
    /// If the regular expression is none.
    pub(super) fn new(query: &Query) -> Result<Self, QueryError> {
        let regex = query.regex.as_deref().map(Regex::new).transpose();
        let regex = regex.map_err(|error| QueryError::Regex(Box::new(error)))?;
        Ok(Self {
            severities: severities(query),
            function: query.function.as_deref().map(inner),
            execution: query.execution_id.as_deref().map(inner),
            start: query.start.map(Stamp::from),
            end: query.end.map(Stamp::from),
            contains: query.contains.clone(),
            regex,
            status: query.status.clone(),
            trace: query.trace.clone(),
            job: query.job.clone(),
            needle: needle(query).map(|needle| Finder::new(&needle).into_owned()),
        })
    }

    /// The blocks of `segment` that may hold what is asked for, in rising order.
    pub(super) fn blocks(&self, segment: &mut Sealed) -> std::io::Result<Vec<usize>> {
        let candidates = match &self.execution {
            Some(execution) => segment.blocks_of(execution)?,
            None => (0..segment.index().blocks.len()).collect(),
        };
        let index = segment.index();
        let place = self.function.as_ref().map(|function| {
            let is_it = |name: &String| name.as_bytes() == function;
            index.functions.iter().position(is_it).map(|at| at as u32)
        });
        let may_hold = |number: &usize| {
            index.blocks.get(*number).is_some_and(|block| {
                let of_function = match place {
                    None => true,
                    Some(place) => place.is_some_and(|place| block.functions.contains(&place)),
                };
                let in_time = block.times.is_some_and(|(earliest, latest)| {
                    self.start.is_none_or(|start| start <= latest)
                        && self.end.is_none_or(|end| earliest < end)
                });
                of_function && in_time && block.severities & self.severities != 0
            })
        };
        Ok(candidates.into_iter().filter(may_hold).collect())
    }

    /// Appends the places of the lines in `block` that are asked for, without their ends, and tells how many it could not
    /// judge because they are no entries.
    pub(super) fn lines(&self, block: &[u8], found: &mut Vec<Range<usize>>) -> u64 {
        let (mut at, mut unreadable) = (0, 0);
        while at < block.len() {
            let start = match &self.needle {
                None => at,
                Some(needle) => match needle.find(&block[at..]) {
                    None => break,
                    Some(hit) => at + line_start(&block[at..], hit),
                },
            };
            let end = memchr(b'\n', &block[start..]).map_or(block.len(), |end| start + end);
            match self.accepts(&block[start..end]) {
                Some(true) => found.push(start..end),
                Some(false) => {}
                None => unreadable += 1,
            }
            at = end + 1;
        }
        unreadable
    }

    /// Whether `line` is asked for; nothing if it is no entry.
    fn accepts(&self, line: &[u8]) -> Option<bool> {
        if line.is_empty() {
            return Some(false);
        }
        let head = LineHead::parse(line)?;
        if !self.accepts_head(&head) {
            return Some(false);
        }
        if !self.needs_whole_line() {
            return Some(true);
        }
        Record::parse(line).map(|record| self.accepts_record(&record))
    }

    fn accepts_head(&self, head: &LineHead<'_>) -> bool {
        head.severity.bit() & self.severities != 0
            && self.start.is_none_or(|start| start <= head.time)
            && self.end.is_none_or(|end| head.time < end)
            && is_none_or_equal(&self.function, Some(head.function))
            && is_none_or_equal(&self.execution, head.execution)
    }

    fn needs_whole_line(&self) -> bool {
        self.contains.is_some()
            || self.regex.is_some()
            || self.status.is_some()
            || self.trace.is_some()
            || self.job.is_some()
    }

    fn accepts_record(&self, record: &Record) -> bool {
        let words = |words: &String| record.any_text(&|text| text.contains(words));
        let regex = |regex: &Regex| record.any_text(&|text| regex.is_match(text));
        let status = |wanted: &RangeInclusive<u16>| {
            let request = record.http_request.as_ref();
            let status = request.and_then(|request| request.status);
            status.is_some_and(|status| wanted.contains(&status))
        };
        let trace = |wanted: &String| {
            let id = record.trace.as_deref();
            id == Some(wanted) || id.and_then(|id| id.rsplit('/').next()) == Some(wanted)
        };
        self.contains.as_ref().is_none_or(words)
            && self.regex.as_ref().is_none_or(regex)
            && self.status.as_ref().is_none_or(status)
            && self.trace.as_ref().is_none_or(trace)
            && (self.job.is_none() || self.job.as_deref() == record.job())
    }
}

fn is_none_or_equal(wanted: &Option<Vec<u8>>, found: Option<&[u8]>) -> bool {
    wanted.is_none() || wanted.as_deref() == found
}

/// Where the line begins that holds `at`.
fn line_start(text: &[u8], at: usize) -> usize {
    memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1)
}

fn severities(query: &Query) -> u16 {
    Severity::ALL
        .into_iter()
        .filter(|severity| query.min_severity.is_none_or(|least| least <= *severity))
        .filter(|severity| query.severity.is_none_or(|only| only == *severity))
        .map(Severity::bit)
        .sum()
}

/// `text` as it stands within a JSON string. Lines are written by this program alone, so it stands so and no other way.
fn inner(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    string(text, &mut out);
    out.pop();
    out.split_off(1)
}

/// What every line that is asked for holds as it is written: of what is asked for, the part that is likely rarest.
fn needle(query: &Query) -> Option<Vec<u8>> {
    let written = |text: &String| Some(inner(text)).filter(|needle| !needle.is_empty());
    let execution = |id: &String| [EXECUTION, &inner(id)].concat();
    let regex = |regex: &String| written(&literal::required(regex)?);
    let status = |status: &RangeInclusive<u16>| match status.start() == status.end() {
        true => format!("\"httpRequest\":{{\"status\":{}", status.start()).into_bytes(),
        false => b"\"httpRequest\":{\"status\":".to_vec(),
    };
    let job = |job: &String| [format!("\"{JOB_LABEL}\":\"").as_bytes(), &inner(job)].concat();
    None.or_else(|| query.execution_id.as_ref().map(execution))
        .or_else(|| query.trace.as_ref().and_then(written))
        .or_else(|| query.contains.as_ref().and_then(written))
        .or_else(|| query.regex.as_ref().and_then(regex))
        .or_else(|| query.status.as_ref().map(status))
        .or_else(|| query.job.as_ref().map(job))
        .or_else(|| query.function.as_ref().and_then(written))
}
