//! What to answer to a request body.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Who is greeted when nobody is named.
const ANYONE: &str = "World";

/// What a request body is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The greeting: both the response and the line that is printed.
    Greeting(String),
    /// The body is not JSON, for this reason.
    NotJson(String),
    /// The body is longer than this many bytes, the most that the handler reads.
    TooLarge(usize),
}

impl Answer {
    /// Reads `body` as JSON, whatever the method or content type, and greets its `name`.
    ///
    /// JSON without a name (`null`, `""`, zero, `false`, no such member, no object at all) greets the
    /// world; a name that is no string is greeted by its JSON text.
    pub fn to(body: &[u8]) -> Self {
        match name(body) {
            Ok(name) => Self::Greeting(format!("Hello {}!", name.as_deref().unwrap_or(ANYONE))),
            Err(reason) => Self::NotJson(reason),
        }
    }

    /// The HTTP status code.
    pub fn status(&self) -> u16 {
        match self {
            Self::Greeting(_) => 200,
            Self::NotJson(_) => 400,
            Self::TooLarge(_) => 413,
        }
    }

    /// The response body: plain text, one line, without a line feed at its end.
    pub fn text(&self) -> &str {
        match self {
            Self::Greeting(text) => text,
            Self::NotJson(_) => "JSON Error",
            Self::TooLarge(_) => "Body Too Large",
        }
    }
}

/// The line that is printed.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting(line) => f.write_str(line),
            Self::NotJson(reason) => write!(f, "Error decoding JSON: {reason}"),
            Self::TooLarge(bound) => write!(f, "Body too large: more than {bound} bytes"),
        }
    }
}

/// The name in a JSON document, if it has one that is not empty; else why this is not JSON.
fn name(body: &[u8]) -> Result<Option<String>, String> {
    // Checked first because the parser skips members unread, and would skip bad UTF-8 with them.
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let raw = member_name(text).map_err(|error| error.to_string())?;
    let Some(raw) = raw.map(RawValue::get) else {
        return Ok(None);
    };
    let name = if raw.starts_with('"') {
        serde_json::from_str(raw).map_err(|error: serde_json::Error| error.to_string())?
    } else {
        raw.to_owned()
    };
    Ok((!is_empty(raw)).then_some(name))
}

/// Whether a JSON value counts as no name.
fn is_empty(raw: &str) -> bool {
    matches!(raw, "null" | "false" | r#""""#) || is_zero(raw)
}

/// Whether a JSON value is a number that is zero, however it is written: `0`, `-0`, `0.0`, `0e9`.
fn is_zero(raw: &str) -> bool {
    let significand = raw.split(['e', 'E']).next().unwrap_or(raw);
    let digits = significand.strip_prefix('-').unwrap_or(significand);
    digits.starts_with('0') && digits.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// The member `name` of the document if it is an object; of several, the last, as most parsers do.
fn member_name(text: &str) -> serde_json::Result<Option<&RawValue>> {
    let mut document = serde_json::Deserializer::from_str(text);
    let name = if text.trim_ascii_start().starts_with('{') {
        document.deserialize_map(Members)?
    } else {
        document.deserialize_ignored_any(IgnoredAny)?;
        None
    };
    document.end()?;
    Ok(name)
}

/// Takes the member `name` out of an object without building the rest of it.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut name = None;
        while let Some(key) = members.next_key::<String>()? {
            if key == "name" {
                name = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(body: &str) -> String {
        match Answer::to(body.as_bytes()) {
            Answer::Greeting(text) => text,
            other => panic!("{body} was answered with {other:?}"),
        }
    }

    fn reason(body: &[u8]) -> String {
        match Answer::to(body) {
            Answer::NotJson(reason) => reason,
            other => panic!("{body:?} was answered with {other:?}"),
        }
    }

    #[test]
    fn a_name_is_greeted() {
        assert_eq!(
            greeting(r#"{"name": "local function"}"#),
            "Hello local function!"
        );
    }

    #[test]
    fn a_name_keeps_its_escapes_and_its_script() {
        assert_eq!(
            greeting(r#"{"name": "\u00c5sa \"\ud83d\ude00\" 世界"}"#),
            "Hello Åsa \"😀\" 世界!"
        );
        assert_eq!(greeting(r#"{"n\u0061me": "Ada"}"#), "Hello Ada!");
    }

    #[test]
    fn an_empty_name_greets_the_world() {
        for value in [
            "null", r#""""#, "false", "0", "-0", "0.0", "-0.00", "0e9", "0.0E-1",
        ] {
            assert_eq!(
                greeting(&format!(r#"{{"name": {value}}}"#)),
                "Hello World!",
                "{value}"
            );
        }
    }

    #[test]
    fn json_without_a_name_greets_the_world() {
        for body in [
            "{}",
            r#"{"Name": "Ada"}"#,
            "5",
            r#""Ada""#,
            "null",
            "[]",
            r#"[{"name": "Ada"}]"#,
            " true\n",
        ] {
            assert_eq!(greeting(body), "Hello World!", "{body}");
        }
    }

    #[test]
    fn any_other_name_is_greeted_by_its_json_text() {
        let values = [
            "5",
            "0.5",
            "-1e-400",
            "1e999",
            "123456789012345678901234567890",
            "true",
            "[1]",
            "[]",
            "{}",
            r#"{"a":"b"}"#,
        ];
        for value in values {
            assert_eq!(
                greeting(&format!(r#"{{"name": {value} }}"#)),
                format!("Hello {value}!")
            );
        }
    }

    #[test]
    fn a_name_of_one_space_is_a_name() {
        assert_eq!(greeting(r#"{"name": " "}"#), "Hello  !");
    }

    #[test]
    fn of_two_names_the_last_is_greeted() {
        assert_eq!(
            greeting(r#"{"name": "Ada", "x": {"name": 1}, "name": "Grace"}"#),
            "Hello Grace!"
        );
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        let bodies: [&[u8]; 12] = [
            b"",
            b" ",
            b"name=Ada",
            br#"{"name": "Ada""#,
            br#"{"name": "Ada"} {}"#,
            br#"{"name": "Ada",}"#,
            br#"{'name': 'Ada'}"#,
            br#"{"name": 05}"#,
            b"{\"name\": \"A\x01da\"}",
            br#"{"name": "\ud800"}"#,
            b"\xef\xbb\xbf{}",
            b"NaN",
        ];
        for body in bodies {
            assert!(!reason(body).is_empty());
        }
    }

    #[test]
    fn bad_utf_8_is_an_error_wherever_it_stands() {
        for body in [
            &b"{\"name\": \"\xff\"}"[..],
            b"{\"other\": \"\xc3\"}",
            b"\xff",
            b"[\"\xed\xa0\x80\"]",
        ] {
            assert!(reason(body).contains("utf-8"));
        }
    }

    #[test]
    fn deep_nesting_is_read_without_deep_recursion() {
        let deep = 100_000;
        let (open, close) = ("[".repeat(deep), "]".repeat(deep));
        assert!(!reason(open.as_bytes()).is_empty());
        assert_eq!(greeting(&format!("{open}{close}")), "Hello World!");
        assert_eq!(
            greeting(&format!(r#"{{"other": {open}{close}}}"#)),
            "Hello World!"
        );
        assert_eq!(
            greeting(&format!(r#"{{"name": {open}{close}}}"#)),
            format!("Hello {open}{close}!")
        );
    }

    #[test]
    fn a_greeting_is_printed_as_it_is_answered() {
        let answer = Answer::to(br#"{"name": "Ada"}"#);
        assert_eq!((answer.status(), answer.text()), (200, "Hello Ada!"));
        assert_eq!(answer.to_string(), "Hello Ada!");
    }

    #[test]
    fn an_error_is_printed_with_its_reason_and_answered_without() {
        let answer = Answer::to(b"{");
        assert_eq!((answer.status(), answer.text()), (400, "JSON Error"));
        assert_eq!(
            answer.to_string(),
            "Error decoding JSON: EOF while parsing an object at line 1 column 1"
        );
    }

    #[test]
    fn a_body_too_large_is_answered_and_printed_with_the_bound() {
        let answer = Answer::TooLarge(1024);
        assert_eq!((answer.status(), answer.text()), (413, "Body Too Large"));
        assert_eq!(answer.to_string(), "Body too large: more than 1024 bytes");
    }
}
