//! `entries.write`
//!
//! <https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/write>

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::check_project;
use crate::api::fields::Fields;
use crate::api::{Api, Code, Reply, Request, Status};
use crate::logs::{Content, Entry, LogPlace, Severity, Written};
use crate::store::Project;

/// The most entries of a request, as in Cloud Logging.
const MOST: usize = 1000;
/// The details that tell which entries were not written.
const PARTIAL_ERRORS: &str = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors";

pub(super) fn write(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let document = request.json()?;
    let fields = Fields::of(&document);
    let is_partial = fields.boolean("partialSuccess")?.unwrap_or(false);
    let is_dry = fields.boolean("dryRun")?.or(fields.boolean("dry_run")?);
    let defaults = Defaults {
        project: api.project(),
        log: fields.text("logName")?,
        resource: fields.get("resource"),
        labels: fields.map("labels")?,
    };
    let documents = match fields.get("entries") {
        Some(Value::Array(documents)) if documents.len() <= MOST => documents,
        Some(Value::Array(documents)) => {
            return Err(Status::invalid(format!(
                "there are {} entries; expected at most {MOST}",
                documents.len()
            )));
        }
        _ => return Err(Status::invalid("the field `entries` is not a list")),
    };
    let (mut entries, mut errors) = (Vec::new(), BTreeMap::new());
    for (index, document) in documents.iter().enumerate() {
        match defaults.entry(document) {
            Ok(entry) => entries.push(entry),
            Err(status) => drop(errors.insert(index, status)),
        }
    }
    let error = failure(&errors, is_partial);
    if !is_dry.unwrap_or(false) && (is_partial || error.is_none()) && !entries.is_empty() {
        api.log().write(entries).map_err(unwritten)?;
    }
    error.map_or_else(|| Ok(json!({}).into()), Err)
}

/// The answer to a request with these errors by the entries' positions.
fn failure(errors: &BTreeMap<usize, Status>, is_partial: bool) -> Option<Status> {
    let (index, first) = errors.first_key_value()?;
    let message = format!("entries[{index}]: {first}");
    let status = Status::new(first.code, message);
    if !is_partial {
        return Some(status);
    }
    let each = errors.iter().map(|(index, status)| {
        let error = json!({ "code": status.code.number(), "message": status.message });
        (index.to_string(), error)
    });
    let each: Map<_, _> = each.collect();
    Some(status.with_detail(json!({ "@type": PARTIAL_ERRORS, "logEntryErrors": each })))
}

fn unwritten(why: String) -> Status {
    let message = format!("the entries may not all be written: {why}; try again");
    Status::new(Code::Unavailable, message)
}

/// What holds for entries that do not say otherwise.
struct Defaults<'a> {
    project: &'a Project,
    log: Option<String>,
    resource: Option<&'a Value>,
    labels: BTreeMap<String, String>,
}

impl Defaults<'_> {
    fn entry(&self, document: &Value) -> Result<Entry, Status> {
        if !document.is_object() {
            return Err(Status::invalid("the entry is not an object"));
        }
        let fields = Fields::of(document);
        let text = |field| Ok::<_, Status>(fields.text(field)?.filter(|text| !text.is_empty()));
        let mut labels = self.labels.clone();
        labels.extend(fields.map::<Vec<_>>("labels")?);
        let written = Written {
            place: self.place(&fields)?,
            content: content(&fields)?,
            labels,
            trace: text("trace")?,
            span_id: text("spanId")?,
            insert_id: text("insertId")?,
        };
        Entry::written(time(&fields)?, severity(&fields)?, written)
            .map_err(|error| Status::invalid(error.to_string()))
    }

    fn place(&self, fields: &Fields<'_>) -> Result<LogPlace, Status> {
        let log = fields.text("logName")?.filter(|name| !name.is_empty());
        let log = log.or_else(|| self.log.clone()).ok_or_else(|| {
            let expected = self.project.name();
            Status::invalid(format!("logName is missing; expected `{expected}/logs/ID`"))
        })?;
        let resource = fields.get("resource").or(self.resource).ok_or_else(|| {
            Status::invalid("resource is missing; expected one such as {\"type\": \"global\"}")
        })?;
        let resource = Fields::of(resource);
        let kind = resource.text("type")?.filter(|kind| !kind.is_empty());
        Ok(LogPlace {
            log: self.log_id(&log)?,
            resource_type: kind.ok_or_else(|| {
                Status::invalid("the resource has no type; expected one such as `global`")
            })?,
            resource_labels: resource.map("labels")?,
            source_location: object(fields, "sourceLocation")?,
        })
    }

    /// The id in the full name of a log.
    fn log_id(&self, name: &str) -> Result<String, Status> {
        let parts = name.split_once("/logs/").ok_or_else(|| {
            let expected = self.project.name();
            Status::invalid(format!(
                "logName is `{name}`; expected `{expected}/logs/ID`"
            ))
        })?;
        check_project(self.project, parts.0)?;
        let id = percent_decode_str(parts.1).decode_utf8();
        let id = id.map_err(|_| Status::invalid("the log id is not UTF-8"))?;
        Ok(id.into_owned())
    }
}

fn time(fields: &Fields<'_>) -> Result<Option<SystemTime>, Status> {
    let Some(text) = fields.text("timestamp")? else {
        return Ok(None);
    };
    let time = text.parse::<Timestamp>().map_err(|_| {
        Status::invalid(format!(
            "timestamp is `{text}`; expected one such as 2026-11-23T14:00:00Z"
        ))
    })?;
    Ok(Some(time.into()))
}

/// By name or by number.
fn severity(fields: &Fields<'_>) -> Result<Severity, Status> {
    let Some(value) = fields.get("severity") else {
        return Ok(Severity::Default);
    };
    let is_it = |severity: &Severity| match value {
        Value::String(name) => severity.name() == name,
        value => value.as_u64() == Some(severity.number().into()),
    };
    Severity::ALL.into_iter().find(is_it).ok_or_else(|| {
        Status::invalid(format!(
            "severity is {value}; expected one of {}",
            Severity::ALL.map(Severity::name).join(", ")
        ))
    })
}

fn content(fields: &Fields<'_>) -> Result<Content, Status> {
    if fields.get("protoPayload").is_some() {
        return Err(Status::invalid(
            "protoPayload is for the audit log; expected textPayload or jsonPayload",
        ));
    }
    match (fields.text("textPayload")?, object(fields, "jsonPayload")?) {
        (Some(_), Some(_)) => Err(Status::invalid(
            "the entry has textPayload and jsonPayload; expected one of them",
        )),
        (None, Some(object)) => Ok(Content::Json(object)),
        (text, None) => Ok(Content::Text(text.unwrap_or_default())),
    }
}

fn object(fields: &Fields<'_>, field: &str) -> Result<Option<Map<String, Value>>, Status> {
    match fields.get(field) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(_) => Err(Status::invalid(format!(
            "the field `{field}` is not an object"
        ))),
    }
}
