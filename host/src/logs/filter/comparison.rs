//! The comparison of a field with a value.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::field::Field;
use super::leaves::{any_contains, contains, plain};
use super::literal::{self, Number, Operand};
use super::schema::Kind;

/// The largest compiled regular expression, in bytes.
const MAX_REGEX: usize = 512 * 1024;

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `:`: text contains the value; another field equals it.
    Has,
    /// `=~`
    Match,
    /// `!~`
    NotMatch,
}

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Has => ":",
            Self::Match => "=~",
            Self::NotMatch => "!~",
        }
    }

    pub(super) fn is_negated(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotMatch)
    }

    pub(super) fn is_regex(self) -> bool {
        matches!(self, Self::Match | Self::NotMatch)
    }

    /// Whether it is true of a field that stands in this order to the value; `None` if there is no order.
    fn accepts(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal | Self::Has | Self::Match => order == Some(Ordering::Equal),
            Self::NotEqual | Self::NotMatch => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) field: Field,
    pub(super) operator: Operator,
    pub(super) operand: Operand,
    pub(super) test: Test,
}

/// What the field is compared with, as its kind needs it.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Present,
    Null,
    Regex(Regex),
    /// In lower case.
    Text(String),
    Number(Number),
    Boolean(bool),
    Severity(u16),
    Time(Timestamp),
    Nanoseconds(i128),
    /// In lower case, compared as the value in the entry needs it.
    Any(String),
}

impl Comparison {
    /// Compares `field` with `operand`.
    ///
    /// # Errors
    /// If the operator or the operand is not one for the field.
    pub(super) fn new(field: Field, operator: Operator, operand: Operand) -> Result<Self, String> {
        let test = match &operand {
            Operand::Present if operator == Operator::Has => Test::Present,
            Operand::Present => {
                return Err(
                    "`*` needs the operator `:`; write a text with `*` in double quotes".into(),
                );
            }
            Operand::Null if field.kind == Kind::Any => Test::Null,
            Operand::Null => {
                return Err(
                    "only fields of labels and payloads are compared with NULL_VALUE".into(),
                );
            }
            Operand::Text(text) => test(&field, operator, text)?,
        };
        Ok(Self {
            field,
            operator,
            operand,
            test,
        })
    }

    /// Whether `entry` passes it.
    pub(super) fn matches(&self, entry: &Value) -> bool {
        match self.test {
            Test::Present => self.field.is_present(entry),
            _ => self.field.any(entry, &|value| self.passes(value)),
        }
    }

    fn passes(&self, value: &Value) -> bool {
        if let Value::Object(fields) = value {
            let Test::Any(lower) = &self.test else {
                return false;
            };
            let has_name = || fields.keys().any(|name| name.to_lowercase() == *lower);
            return self.operator == Operator::Has && (any_contains(value, lower) || has_name());
        }
        match (&self.test, value) {
            (Test::Regex(_), Value::Null) => false,
            (Test::Regex(regex), _) => regex.is_match(&plain(value)) != self.operator.is_negated(),
            (Test::Text(lower) | Test::Any(lower), Value::String(text))
                if self.operator == Operator::Has =>
            {
                contains(text, lower)
            }
            _ => self.operator.accepts(self.test.order(value)),
        }
    }
}

impl Test {
    /// How `value` stands to it; `None` if they cannot be compared.
    fn order(&self, value: &Value) -> Option<Ordering> {
        match self {
            Self::Null => value.is_null().then_some(Ordering::Equal),
            Self::Text(lower) => Some(value.as_str()?.to_lowercase().as_str().cmp(lower)),
            Self::Number(number) => Number::parse(&plain(value))?.compare(*number),
            Self::Boolean(wanted) => Some(value.as_bool()?.cmp(wanted)),
            Self::Severity(wanted) => Some(literal::severity(&plain(value))?.cmp(wanted)),
            Self::Time(time) => Some(literal::time(value.as_str()?)?.cmp(time)),
            Self::Nanoseconds(nanos) => Some(literal::duration(value.as_str()?)?.cmp(nanos)),
            Self::Any(lower) => match value {
                Value::String(text) => Some(text.to_lowercase().as_str().cmp(lower)),
                Value::Number(number) => {
                    Number::parse(&number.to_string())?.compare(Number::parse(lower)?)
                }
                Value::Bool(value) => Some(value.cmp(&lower.parse().ok()?)),
                _ => None,
            },
            Self::Present | Self::Regex(_) => None,
        }
    }
}

impl PartialEq for Comparison {
    /// The test follows from the other parts.
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field
            && self.operator == other.operator
            && self.operand == other.operand
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.field,
            self.operator.sign(),
            self.operand
        )
    }
}

fn test(field: &Field, operator: Operator, text: &str) -> Result<Test, String> {
    if field.kind == Kind::Fields && operator != Operator::Has {
        return Err(format!(
            "{field} has several fields; expected the operator `:` or one of them"
        ));
    }
    if operator.is_regex() {
        return regex(text).map(Test::Regex);
    }
    let lower = || text.to_lowercase();
    let (test, expected) = match field.kind {
        Kind::Text => (Some(Test::Text(lower())), ""),
        Kind::Any | Kind::Fields => (Some(Test::Any(lower())), ""),
        Kind::Number => (Number::parse(text).map(Test::Number), "a number"),
        Kind::Boolean => (lower().parse().ok().map(Test::Boolean), "true or false"),
        Kind::Severity => (
            literal::severity(text).map(Test::Severity),
            "a severity such as ERROR or its number",
        ),
        Kind::Time => (
            literal::time(text).map(Test::Time),
            "a time such as \"2026-11-01T00:00:00Z\" or a date",
        ),
        Kind::Duration => (
            literal::duration(text).map(Test::Nanoseconds),
            "a duration such as 1.5s",
        ),
    };
    test.ok_or_else(|| format!("{field} is compared with {expected}"))
}

fn regex(text: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(text)
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .build();
    regex.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            "the regular expression is too large; expected one with fewer repetitions".into()
        }
        _ => "it is not a regular expression; expected the syntax of RE2".into(),
    })
}
