//! The fields of `LogEntry` of the Logging API v2.

/// What a field contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A whole number, which JSON may write as text.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A severity.
    Severity,
    /// A timestamp.
    Time,
    /// A duration such as `1.5s`.
    Duration,
    /// Any JSON value, with fields of any name.
    Any,
    /// Other fields.
    Fields,
}

/// All fields; last those that have other fields.
const FIELDS: [(&[&str], Kind); 53] = [
    (&["logName"], Kind::Text),
    (&["resource", "type"], Kind::Text),
    (&["resource", "labels"], Kind::Any),
    (&["timestamp"], Kind::Time),
    (&["receiveTimestamp"], Kind::Time),
    (&["severity"], Kind::Severity),
    (&["insertId"], Kind::Text),
    (&["labels"], Kind::Any),
    (&["textPayload"], Kind::Text),
    (&["jsonPayload"], Kind::Any),
    (&["protoPayload"], Kind::Any),
    (&["trace"], Kind::Text),
    (&["spanId"], Kind::Text),
    (&["traceSampled"], Kind::Boolean),
    (&["httpRequest", "requestMethod"], Kind::Text),
    (&["httpRequest", "requestUrl"], Kind::Text),
    (&["httpRequest", "requestSize"], Kind::Number),
    (&["httpRequest", "status"], Kind::Number),
    (&["httpRequest", "responseSize"], Kind::Number),
    (&["httpRequest", "userAgent"], Kind::Text),
    (&["httpRequest", "remoteIp"], Kind::Text),
    (&["httpRequest", "serverIp"], Kind::Text),
    (&["httpRequest", "referer"], Kind::Text),
    (&["httpRequest", "latency"], Kind::Duration),
    (&["httpRequest", "cacheLookup"], Kind::Boolean),
    (&["httpRequest", "cacheHit"], Kind::Boolean),
    (
        &["httpRequest", "cacheValidatedWithOriginServer"],
        Kind::Boolean,
    ),
    (&["httpRequest", "cacheFillBytes"], Kind::Number),
    (&["httpRequest", "protocol"], Kind::Text),
    (&["operation", "id"], Kind::Text),
    (&["operation", "producer"], Kind::Text),
    (&["operation", "first"], Kind::Boolean),
    (&["operation", "last"], Kind::Boolean),
    (&["sourceLocation", "file"], Kind::Text),
    (&["sourceLocation", "line"], Kind::Number),
    (&["sourceLocation", "function"], Kind::Text),
    (&["split", "uid"], Kind::Text),
    (&["split", "index"], Kind::Number),
    (&["split", "totalSplits"], Kind::Number),
    (&["metadata", "systemLabels"], Kind::Any),
    (&["metadata", "userLabels"], Kind::Any),
    (&["errorGroups", "id"], Kind::Text),
    (&["apphub"], Kind::Any),
    (&["apphubDestination"], Kind::Any),
    (&["apphubSource"], Kind::Any),
    (&["otel"], Kind::Any),
    (&["resource"], Kind::Fields),
    (&["httpRequest"], Kind::Fields),
    (&["operation"], Kind::Fields),
    (&["sourceLocation"], Kind::Fields),
    (&["split"], Kind::Fields),
    (&["metadata"], Kind::Fields),
    (&["errorGroups"], Kind::Fields),
];

/// The field at `path`: its name in JSON and its kind; `None` if there is none. Names may also be written with underscores,
/// and in any case.
pub(super) fn find(path: &[String]) -> Option<(Vec<String>, Kind)> {
    let (names, kind) = FIELDS.iter().find(|(names, kind)| {
        let is_long_enough = match kind {
            Kind::Any => path.len() >= names.len(),
            _ => path.len() == names.len(),
        };
        is_long_enough
            && names
                .iter()
                .zip(path)
                .all(|(name, segment)| is_name(name, segment))
    })?;
    let names_in_json = names.iter().map(|name| (*name).to_owned());
    let rest = path[names.len()..].iter().cloned();
    Some((names_in_json.chain(rest).collect(), *kind))
}

fn is_name(name: &str, segment: &str) -> bool {
    let letters = segment.chars().filter(|c| *c != '_');
    letters
        .map(|c| c.to_ascii_lowercase())
        .eq(name.chars().map(|c| c.to_ascii_lowercase()))
}
