//! Stored entries as logfmt: `key=value` pairs.

use super::{StoredEntry, json_text, labels};
use crate::logs::entry::Content;
use crate::logs::entry::timestamp::Rfc3339;
use crate::safe;

/// Appends `entry` without a line feed.
pub(super) fn push(entry: &StoredEntry, out: &mut Vec<u8>) {
    out.extend_from_slice(b"time=");
    out.extend_from_slice(Rfc3339::from(entry.time).as_str().as_bytes());
    pair("level", entry.severity.name(), out);
    match &entry.place {
        None => pair("function", &entry.function, out),
        Some(place) => pair("log", &place.log, out),
    }
    for (key, value) in &entry.labels {
        // In other logs, a client may state any label.
        match labels::is_reserved(key) && entry.place.is_none() {
            true => pair(key, value, out),
            false => guest_pair("labels.", key, value, out),
        }
    }
    for (key, value) in [("trace", &entry.trace), ("span_id", &entry.span_id)] {
        if let Some(value) = value {
            pair(key, value, out);
        }
    }
    if let Some(request) = &entry.http_request {
        if let Some(status) = request.status {
            pair("status", &status.to_string(), out);
        }
        if let Some(latency) = &request.latency {
            pair("latency", latency, out);
        }
        if let Some(client) = &request.remote_ip {
            pair("client", &client.to_string(), out);
        }
    }
    pair("msg", &entry.message(), out);
    if let Content::Json(object)
    | Content::Audit {
        proto_payload: object,
        ..
    } = &entry.payload
    {
        for (key, value) in object.iter().filter(|(key, _)| *key != "message") {
            match value.as_str() {
                Some(text) => guest_pair("payload.", key, text, out),
                None => guest_pair("payload.", key, &value.to_string(), out),
            }
        }
    }
}

/// Appends a pair with a key of the host. Keys of guests have a prefix, so they never equal it.
fn pair(key: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    // Values that contain a delimiter or a control character are quoted as in JSON.
    match !value.is_empty() && value.chars().all(is_plain) {
        true => out.extend_from_slice(value.as_bytes()),
        false => json_text::push(value, out),
    }
}

/// Appends a pair whose key a guest chose: with `prefix`, and with delimiters in the key replaced.
fn guest_pair(prefix: &str, key: &str, value: &str, out: &mut Vec<u8>) {
    let plain = |c: char| match c.is_ascii() && is_plain(c) {
        true => c,
        false => '_',
    };
    let key: String = prefix.chars().chain(key.chars().map(plain)).collect();
    pair(&key, value, out);
}

fn is_plain(c: char) -> bool {
    !(c.is_whitespace() || matches!(c, '"' | '=' | '\\') || safe::is_harmful(c))
}
