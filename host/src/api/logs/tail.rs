//! `logs.tail`: an answer that goes on with new entries as they are written.
//!
//! It has lines. The first one tells what was found, without the entries; these follow, as they are stored, a line each.
//! A line with `unreadable` alone tells what could not be read. An empty line comes where there is nothing else for a
//! while, so that a client that is gone is noticed.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::list::SEARCH;
use super::own::{Found, without_directory};
use super::{Criteria, unread};
use crate::api::request::document;
use crate::api::{Api, Code, Reply, Request, Status};
use crate::logs::{Follow, NewEntries, Query};

/// The size of the entries at the beginning, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// How many parts of an answer wait for a client that is slow.
const PARTS: usize = 2;
/// After how long without an entry an empty line is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// An answer that comes in parts, until whoever makes it ends it or nobody takes it any more.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The media type.
    pub(crate) kind: &'static str,
    /// The parts.
    pub(crate) parts: Receiver<Bytes>,
}

pub(super) fn tail(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let criteria: Criteria = request.read()?;
    let query = Query {
        max_bytes: MAX_BYTES,
        time_limit: Some(SEARCH),
        ..criteria.query(api.project())?
    };
    let place = api.log().tail()?;
    let directory = api.log().directory()?;
    let (result, follow) = Follow::start(directory, &query).map_err(unread)?;
    let first = first(Found::of(result, directory, &query))?;
    let (sender, parts) = mpsc::channel(PARTS);
    let follow = move || {
        let _place = place;
        send(follow, first, &sender);
    };
    let thread = thread::Builder::new().name("tail".into()).spawn(follow);
    thread.map_err(|error| {
        Status::new(
            Code::Unavailable,
            format!("no thread can be started now: {error}; try again later"),
        )
    })?;
    Ok(Reply::Stream(Stream {
        kind: "application/x-ndjson",
        parts,
    }))
}

/// The lines at the beginning.
fn first(mut found: Found) -> Result<Vec<u8>, Status> {
    let lines = std::mem::take(&mut found.lines);
    let mut text = format!("{}\n", document(&found)?);
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text.into_bytes())
}

/// Sends what is written, until nobody takes it.
fn send(mut follow: Follow, first: Vec<u8>, sender: &Sender<Bytes>) {
    let (mut text, mut sent) = (first, Instant::now());
    loop {
        if !text.is_empty() {
            if sender.blocking_send(text.into()).is_err() {
                return;
            }
            sent = Instant::now();
        }
        if sender.is_closed() {
            return;
        }
        let new = match follow.poll() {
            Ok(new) => new,
            Err(error) => {
                tracing::error!("an answer with new log entries ends: {error}");
                return;
            }
        };
        if !new.is_behind {
            thread::sleep(Follow::INTERVAL);
        }
        text = lines(new);
        if text.is_empty() && sent.elapsed() >= HEARTBEAT {
            text.push(b'\n');
        }
    }
}

fn lines(new: NewEntries) -> Vec<u8> {
    let mut text = Vec::new();
    let missing = without_directory(new.unreadable);
    if missing.parts + missing.entries > 0 {
        text.extend(json!({ "unreadable": missing }).to_string().into_bytes());
        text.push(b'\n');
    }
    for entry in new.entries {
        text.extend(entry.line.into_bytes());
        text.push(b'\n');
    }
    text
}
