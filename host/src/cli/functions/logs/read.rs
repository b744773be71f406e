//! `host functions logs read`

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::state::State;
use super::selection::Selection;
use crate::logs::{
    Follow, Found, Order, Query, QueryError, Record, RecordFormat, RecordRenderer, read,
};
use crate::signals::Signals;
use crate::store::FunctionName;

/// Show log entries
///
/// The last ones that meet all that is said, oldest first. It does not matter whether a host serves.
#[derive(Args)]
pub(super) struct Read {
    /// The function [default: all]
    name: Option<FunctionName>,

    /// How many entries at most, up to 1000
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,

    #[command(flatten)]
    selection: Selection,

    /// Of runs of this job, and of the executions that they caused
    #[arg(long, value_name = "NAME")]
    job: Option<String>,

    /// Go on with new entries as they come, until Ctrl-C
    #[arg(long, conflicts_with = "order")]
    follow: bool,

    /// How they are shown
    #[arg(long, value_enum, default_value_t = RecordFormat::Table, value_name = "FORMAT")]
    format: RecordFormat,

    #[command(flatten)]
    state: State,
}

impl Read {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let directory = self.state.log_directory()?;
        let name = self.name.as_ref().map(FunctionName::as_str);
        let query = self.selection.query(name, self.limit.into());
        if self.follow {
            return follow(&directory, query, self.job, self.format);
        }
        let found = match &self.job {
            None => read(&directory, &query),
            Some(job) => read_job(&directory, &query, job),
        };
        let found = found.map_err(|error| error.to_string())?;
        warn(found.unreadable);
        if found.records.is_empty() {
            eprintln!("Listed 0 items.");
        } else {
            Screen::begin(self.format, &found.records)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Entries of runs of `job`, and of the executions which they say that they caused.
fn read_job(directory: &Path, query: &Query, job: &str) -> Result<Found, QueryError> {
    let runs = Query {
        job: Some(job.to_owned()),
        ..Query::default()
    };
    // Each run leaves at least one entry, so this many runs have all the entries that may be asked for.
    let caused = read(
        directory,
        &Query {
            limit: query.limit.saturating_mul(2),
            ..runs.clone()
        },
    )?;
    let mut found = read(
        directory,
        &Query {
            job: runs.job,
            ..query.clone()
        },
    )?;
    let more = read_executions(directory, query, &caused.records)?;
    found.unreadable += more.unreadable;
    found.records.extend(more.records);
    Ok(last(found, query))
}

/// Entries of the executions that `runs` tell of.
fn read_executions(directory: &Path, query: &Query, runs: &[Record]) -> Result<Found, QueryError> {
    let mut found = Found::default();
    for execution in executions(runs) {
        let wanted = query.execution_id.as_ref();
        if wanted.is_some_and(|wanted| *wanted != execution) {
            continue;
        }
        let of_execution = Query {
            execution_id: Some(execution),
            job: None,
            ..query.clone()
        };
        let more = read(directory, &of_execution)?;
        found.unreadable += more.unreadable;
        found.records.extend(more.records);
    }
    Ok(found)
}

fn executions(records: &[Record]) -> BTreeSet<String> {
    let ids = records.iter().filter_map(Record::execution_id);
    ids.map(str::to_owned).collect()
}

/// The last entries of those that were found, each once, in the order that is asked for.
fn last(mut found: Found, query: &Query) -> Found {
    let records = &mut found.records;
    records.sort_by(|a, b| (a.time, &a.insert_id).cmp(&(b.time, &b.insert_id)));
    records.dedup_by(|a, b| a.line == b.line);
    records.drain(..records.len().saturating_sub(query.limit));
    if query.order == Order::NewestFirst {
        records.reverse();
    }
    found
}

fn follow(
    directory: &Path,
    query: Query,
    job: Option<String>,
    format: RecordFormat,
) -> Result<ExitCode, Message> {
    let text = |error: QueryError| error.to_string();
    let query = Query { job, ..query };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let signals = Signals::listen();
        let mut signals = signals.map_err(|error| format!("cannot listen to signals: {error}"))?;
        let (mut found, mut follow) = Follow::start(directory, &query).map_err(text)?;
        if query.job.is_some() {
            let more = read_executions(directory, &query, &found.records).map_err(text)?;
            found.records.extend(more.records);
            found = last(found, &query);
        }
        warn(found.unreadable);
        let mut screen = Screen::begin(format, &found.records)?;
        while !screen.is_gone() {
            let mut news = follow.poll().map_err(text)?;
            warn(news.unreadable);
            if query.job.is_some() {
                let more = read_executions(directory, &query, &news.records).map_err(text)?;
                news.records.splice(..0, more.records);
            }
            screen.show(&news.records)?;
            if news.is_behind {
                continue;
            }
            tokio::select! {
                _ = signals.next() => break,
                () = tokio::time::sleep(Follow::INTERVAL) => {}
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn warn(unreadable: u64) {
    if unreadable > 0 {
        eprintln!(
            "warning: {unreadable} parts of the log could not be read; entries in them are missing"
        );
    }
}

/// Where entries are shown.
struct Screen {
    renderer: RecordRenderer,
    buffer: Vec<u8>,
    is_closed: bool,
}

impl Screen {
    /// Shows what stands before the first entries, and them, in columns that suit them.
    fn begin(format: RecordFormat, records: &[Record]) -> Result<Self, Message> {
        let names = records.iter().map(|record| record.function.as_str());
        let longest = names.max_by_key(|name| name.chars().count());
        let mut screen = Self {
            renderer: RecordRenderer::for_stdout(format, longest.unwrap_or_default()),
            buffer: Vec::new(),
            is_closed: false,
        };
        screen.renderer.header(&mut screen.buffer);
        screen.show(records)?;
        Ok(screen)
    }

    /// Shows `records`. A reader that has seen enough is no failure.
    fn show(&mut self, records: &[Record]) -> Result<(), Message> {
        for record in records {
            self.renderer.render(record, &mut self.buffer);
        }
        let mut stdout = io::stdout().lock();
        let shown = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        match shown {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            shown => shown.map_err(|error| format!("cannot write to stdout: {error}")),
        }
    }

    /// Whether nobody reads any more, also if there is nothing to be read.
    fn is_gone(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let polled = poll(&mut watched, Some(&at_once));
        let is_broken = watched[0].revents().contains(PollFlags::ERR);
        self.is_closed || (polled.is_ok() && is_broken)
    }
}
