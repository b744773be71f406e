//! A compiled query, which selects blocks and lines.

use std::ops::{Range, RangeInclusive};

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use regex::Regex;

use super::sources::Sources;
use super::{Predicate, Query, QueryError, literal};
use crate::logs::entry::Severity;
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::forms::json_text::escape;
use crate::logs::forms::line_header::{EXECUTION, LineHeader};
use crate::logs::forms::{StoredEntry, labels};
use crate::logs::segments::Sealed;

/// A compiled query.
#[derive(Debug)]
pub(super) struct Matcher {
    // Criteria that the header of a line answers.
    severities: u16,
    sources: Sources,
    execution: Option<Vec<u8>>,
    start: Option<Rfc3339>,
    end: Option<Rfc3339>,
    // Criteria that need the whole line.
    contains: Option<String>,
    regex: Option<Regex>,
    status: Option<RangeInclusive<u16>>,
    trace: Option<String>,
    job: Option<String>,
    predicate: Option<Predicate>,
    /// Bytes that every matching line contains.
    needle: Option<Finder<'static>>,
}

impl Matcher {
    /// # Errors
    /// If the regular expression is invalid.
    pub(super) fn new(query: &Query) -> Result<Self, QueryError> {
        let regex = query.regex.as_deref().map(Regex::new).transpose();
        let regex = regex.map_err(|error| QueryError::Regex(Box::new(error)))?;
        Ok(Self {
            severities: severities(query),
            sources: Sources::of(query),
            execution: query.execution_id.as_deref().map(escape),
            start: query.start.map(Rfc3339::from),
            end: query.end.map(Rfc3339::from),
            contains: query.contains.clone(),
            regex,
            status: query.status.clone(),
            trace: query.trace.clone(),
            job: query.job.clone(),
            predicate: query.predicate.clone(),
            needle: needle(query).map(|needle| Finder::new(&needle).into_owned()),
        })
    }

    /// The blocks of `segment` that may contain matching entries, in rising order.
    pub(super) fn blocks(&self, segment: &mut Sealed) -> std::io::Result<Vec<usize>> {
        let candidates = match &self.execution {
            Some(execution) => segment.blocks_of(execution)?,
            None => (0..segment.index().blocks.len()).collect(),
        };
        let index = segment.index();
        let sources = index.functions.iter().map(String::as_bytes);
        let accepted: Vec<_> = sources.map(|source| self.sources.accepts(source)).collect();
        let is_accepted = |position: &u32| accepted.get(*position as usize) == Some(&true);
        let may_hold = |number: &usize| {
            index.blocks.get(*number).is_some_and(|block| {
                let of_source = block.functions.iter().any(is_accepted);
                let in_time = block.times.is_some_and(|(earliest, latest)| {
                    self.start.is_none_or(|start| start <= latest)
                        && self.end.is_none_or(|end| earliest < end)
                });
                of_source && in_time && block.severities & self.severities != 0
            })
        };
        Ok(candidates.into_iter().filter(may_hold).collect())
    }

    /// Appends the ranges of the matching lines in `block`, without line feeds. Returns the number of lines that are
    /// not valid entries.
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

    /// Whether `line` matches; `None` if it is not a valid entry.
    fn accepts(&self, line: &[u8]) -> Option<bool> {
        if line.is_empty() {
            return Some(false);
        }
        let header = LineHeader::parse(line)?;
        if !self.accepts_header(&header) {
            return Some(false);
        }
        if !self.needs_whole_line() {
            return Some(true);
        }
        StoredEntry::parse(line).map(|entry| self.accepts_entry(&entry))
    }

    fn accepts_header(&self, header: &LineHeader<'_>) -> bool {
        header.severity.bit() & self.severities != 0
            && self.start.is_none_or(|start| start <= header.time)
            && self.end.is_none_or(|end| header.time < end)
            && self.sources.accepts(header.source)
            && (self.execution.is_none() || self.execution.as_deref() == header.execution)
    }

    fn needs_whole_line(&self) -> bool {
        self.contains.is_some()
            || self.regex.is_some()
            || self.status.is_some()
            || self.trace.is_some()
            || self.job.is_some()
            || self.predicate.is_some()
    }

    fn accepts_entry(&self, entry: &StoredEntry) -> bool {
        let words = |words: &String| entry.any_text(&|text| text.contains(words));
        let regex = |regex: &Regex| entry.any_text(&|text| regex.is_match(text));
        let status = |wanted: &RangeInclusive<u16>| {
            let request = entry.http_request.as_ref();
            let status = request.and_then(|request| request.status);
            status.is_some_and(|status| wanted.contains(&status))
        };
        let predicate = |predicate: &Predicate| predicate.accepts(entry);
        let trace = |wanted: &String| {
            let id = entry.trace.as_deref();
            id == Some(wanted) || id.and_then(|id| id.rsplit('/').next()) == Some(wanted)
        };
        self.contains.as_ref().is_none_or(words)
            && self.regex.as_ref().is_none_or(regex)
            && self.status.as_ref().is_none_or(status)
            && self.trace.as_ref().is_none_or(trace)
            && (self.job.is_none() || self.job.as_deref() == entry.job())
            && self.predicate.as_ref().is_none_or(predicate)
    }
}

/// The start of the line that contains the offset `at`.
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

/// Bytes that every matching line contains: of all criteria, the one that is likely the most selective.
fn needle(query: &Query) -> Option<Vec<u8>> {
    let written = |text: &String| Some(escape(text)).filter(|needle| !needle.is_empty());
    let execution = |id: &String| [EXECUTION, &escape(id)].concat();
    let regex = |regex: &String| written(&literal::required(regex)?);
    let status = |status: &RangeInclusive<u16>| match status.start() == status.end() {
        true => format!("\"httpRequest\":{{\"status\":{}", status.start()).into_bytes(),
        false => b"\"httpRequest\":{\"status\":".to_vec(),
    };
    let job = |job: &String| [format!("\"{}\":\"", labels::JOB).as_bytes(), &escape(job)].concat();
    None.or_else(|| query.execution_id.as_ref().map(execution))
        .or_else(|| query.trace.as_ref().and_then(written))
        .or_else(|| query.contains.as_ref().and_then(written))
        .or_else(|| query.regex.as_ref().and_then(regex))
        .or_else(|| query.status.as_ref().map(status))
        .or_else(|| query.job.as_ref().map(job))
        .or_else(|| query.function.as_ref().and_then(written))
}
