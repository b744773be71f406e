//! What a token says, read claim by claim.

use std::fmt;

use serde_json::Value;

use crate::judge::refusal::Refusal;
use crate::shown::Shown;
use crate::token::json::Object;
use crate::token::numeric_date::NumericDate;

/// The claims of a token (RFC 7519, section 4).
#[derive(Clone, PartialEq)]
pub struct Claims(Object);

impl Claims {
    pub(crate) fn new(members: Object) -> Self {
        Self(members)
    }

    /// A claim by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that has to be a text, if it is there.
    pub(crate) fn text(&self, claim: &'static str) -> Result<Option<&str>, Refusal> {
        match self.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(malformed(claim, "a text", other)),
        }
    }

    /// A claim that has to be a date, if it is there.
    pub(crate) fn date(&self, claim: &'static str) -> Result<Option<NumericDate>, Refusal> {
        let Some(value) = self.get(claim) else {
            return Ok(None);
        };
        let expected = "a number of seconds since 1970, before the year 10000";
        NumericDate::read(value)
            .map(Some)
            .ok_or_else(|| malformed(claim, expected, value))
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> Result<&str, Refusal> {
        self.text("iss")?.ok_or(Refusal::Missing("iss"))
    }

    /// The audiences: one text, or a list of nothing but texts with at least one.
    pub(crate) fn audiences(&self) -> Result<Vec<&str>, Refusal> {
        let value = self.get("aud").ok_or(Refusal::Missing("aud"))?;
        let texts = match value {
            Value::String(text) => Some(vec![text.as_str()]),
            Value::Array(list) => list.iter().map(Value::as_str).collect(),
            _ => None,
        };
        texts
            .filter(|texts| !texts.is_empty())
            .ok_or_else(|| malformed("aud", "a text, or a list of texts with at least one", value))
    }

    /// A claim as a message shows it.
    pub(crate) fn shown(&self, claim: &str) -> Shown {
        Shown::claim(self.get(claim))
    }
}

fn malformed(claim: &'static str, expected: &'static str, found: &Value) -> Refusal {
    Refusal::Malformed {
        claim,
        expected,
        found: Shown::value(found),
    }
}

/// Names alone: what claims say of a person does not belong into a trace.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
