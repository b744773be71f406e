//! Google's Logging query language: which entries a reader asks for.
//!
//! <https://cloud.google.com/logging/docs/view/logging-query-language> describes it. A filter is applied to entries in the
//! form of `LogEntry` of the Logging API v2. What the language has and this module does not is refused, so that no filter
//! lets through what it was written to keep out.
//!
//! | module | what it contains |
//! |---|---|
//! | `parser`, `scanner` | from the text to the expression |
//! | `expression`, `comparison`, `function` | the expression, and what each part of it matches |
//! | `field`, `schema` | paths of fields, and the fields of `LogEntry` |
//! | `literal`, `leaves` | values as they are written in a filter; the text of an entry |
//! | `hints` | what a query needs to read |
//!
//! Depends on `entry` and `query`.

mod comparison;
mod error;
mod expression;
mod field;
mod function;
mod hints;
mod leaves;
mod literal;
mod parser;
mod scanner;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

pub use error::FilterError;
use expression::Expression;

/// A filter of log entries. `Display` gives it in a form with all parentheses, which has the same meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expression);

impl Filter {
    /// Whether `entry` matches. It has the form of `LogEntry` of the Logging API v2.
    pub fn matches(&self, entry: &Value) -> bool {
        self.0.matches(entry)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    /// Parses a filter. The empty text matches every entry.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(Self)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
