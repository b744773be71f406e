//! The expression of a filter.

use std::fmt;

use serde_json::Value;

use super::comparison::Comparison;
use super::function::Function;
use super::leaves;
use super::literal::Quoted;

/// An expression. It is at most as deep as the parser allows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// All of them match; without any, every entry does.
    All(Vec<Self>),
    /// One of them matches.
    Any(Vec<Self>),
    /// It does not match.
    Not(Box<Self>),
    /// A field passes a comparison.
    Comparison(Comparison),
    /// The text is in one of the fields.
    Text(SearchText),
    /// A function.
    Function(Function),
}

/// A text that is searched in all fields, whatever the case.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SearchText {
    /// As it was written.
    text: String,
    lower: String,
}

impl SearchText {
    pub(super) fn new(text: String) -> Self {
        let lower = text.to_lowercase();
        Self { text, lower }
    }
}

impl Expression {
    /// Whether `entry` matches.
    pub(super) fn matches(&self, entry: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(entry)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(entry)),
            Self::Not(part) => !part.matches(entry),
            Self::Comparison(comparison) => comparison.matches(entry),
            Self::Text(text) => leaves::any_contains(entry, &text.lower),
            Self::Function(function) => function.matches(entry),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => join(parts, " AND ", f),
            Self::Any(parts) => join(parts, " OR ", f),
            Self::Not(part) => {
                f.write_str("NOT ")?;
                part.nested(f)
            }
            Self::Comparison(comparison) => comparison.fmt(f),
            Self::Text(text) => Quoted(&text.text).fmt(f),
            Self::Function(function) => function.fmt(f),
        }
    }
}

impl Expression {
    /// Writes it as a part of another one.
    fn nested(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) | Self::Any(_) => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

fn join(parts: &[Expression], operator: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            f.write_str(operator)?;
        }
        part.nested(f)?;
    }
    Ok(())
}
