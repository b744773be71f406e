//! `--filter`: which items are listed, in the language of gcloud's filters.
//!
//! Terms are `KEY OPERATOR VALUE`, joined by AND, OR, NOT and parentheses. What is not part of it is refused, so that no
//! filter lets through what it was written to keep out.

mod parser;

use std::cmp::Ordering;
use std::str::FromStr;

use regex::Regex;
use serde_json::Value;

use super::compare::{compare_typed, is_typed, plain};
use super::key::Key;

/// What items must meet.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    condition: Condition,
    /// The keys that it names, as they were written.
    pub(super) keys: Vec<(String, Key)>,
}

#[derive(Clone, Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// What the key leads to passes one of the tests.
    Term(Key, Vec<Test>),
}

#[derive(Clone, Debug)]
enum Test {
    /// `:*`
    IsThere,
    /// `:` with the pattern in lower case, which `*` may stand in once.
    Has(String),
    Equals(String),
    Compares(&'static [Ordering], String),
    Matches(Regex),
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parser::parse(text).map_err(|error| {
            format!("{error}; expected terms such as `state=ENABLED AND name:hourly*`")
        })
    }
}

impl Filter {
    /// Whether `item` meets it.
    pub(super) fn lets_through(&self, item: &Value) -> bool {
        self.condition.holds(item)
    }
}

impl Condition {
    fn holds(&self, item: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(item)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(item)),
            Self::Not(condition) => !condition.holds(item),
            Self::Term(key, tests) => {
                let found = key.find(item).unwrap_or_default();
                let items = parts(&found);
                tests
                    .iter()
                    .any(|test| items.iter().any(|part| test.passes(part)))
            }
        }
    }
}

/// A value itself, the items of a list, or the names and values of an object.
fn parts(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) if !items.is_empty() => items.clone(),
        Value::Object(members) => {
            let names = members.keys().map(|name| Value::from(name.as_str()));
            names.chain(members.values().cloned()).collect()
        }
        other => vec![other.clone()],
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        match self {
            Self::IsThere => !matches!(value, Value::Null) && !plain(value).is_empty(),
            Self::Has(pattern) => has(&plain(value).to_lowercase(), pattern),
            Self::Equals(text) => is_typed(value, text),
            Self::Compares(orders, text) => {
                !value.is_null() && orders.contains(&compare_typed(value, text))
            }
            Self::Matches(regex) => regex.is_match(&plain(value)),
        }
    }
}

/// Whether `text` has `pattern` in it; with a `*`, whether it is what stands before it, anything, and what stands behind.
fn has(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None if pattern.is_empty() => text.is_empty(),
        None => text.contains(pattern),
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(filter: &str) -> bool {
        let item = json!({
            "name": "my-hourly-job",
            "state": "ENABLED",
            "attemptDeadline": "180s",
            "revision": 12,
            "open": true,
            "httpTarget": {"uri": "http://127.0.0.1:8080/hello_world"},
            "labels": {"team": "Red Squad", "env": "test"},
            "invokers": ["serviceAccount:a@host.internal", "user:b@example.com"],
            "createTime": "2026-11-23T14:00:00.000000Z",
        });
        let filter: Filter = filter
            .parse()
            .unwrap_or_else(|error| panic!("{filter}: {error}"));
        filter.lets_through(&item)
    }

    #[test]
    fn a_term_asks_for_a_word_a_value_an_order_or_a_match() {
        for filter in [
            "name:hourly",
            "name:HOURLY",
            "name:my-*",
            "name:*-job",
            "name:my*job",
            "name = my-hourly-job",
            "state=enabled",
            "state!=PAUSED",
            "revision=12",
            "revision>=12",
            "revision<100",
            "open=true",
            "attemptDeadline>2m",
            "attemptDeadline=180s",
            "name~^my-[a-z]+",
            "name!~^your",
            "httpTarget.uri:8080",
            r#"httpTarget.uri="http://127.0.0.1:8080/hello_world""#,
            "labels.team='Red Squad'",
            "labels:env",
            "labels.env:*",
            "invokers:a@host.internal",
            "createTime>2026-11-23",
            "createTime<='2026-11-23 14:00:00'",
            "state=(PAUSED ENABLED)",
            "state:(paused,enabled)",
            "description=''",
        ] {
            assert!(passes(filter), "{filter}");
            assert!(!passes(&format!("NOT {filter}")), "NOT {filter}");
            assert!(!passes(&format!("-{filter}")), "-{filter}");
        }
        for filter in [
            "name:daily",
            "name:hourly*",
            "name=hourly",
            "name~^hourly",
            "description:*",
            "description:word",
            "description>a",
            "labels.none=test",
            "invokers!=user:b@example.com",
            "createTime<2026-11-23",
        ] {
            assert!(!passes(filter), "{filter}");
        }
    }

    #[test]
    fn a_name_equals_no_other_that_measures_the_same() {
        for (name, filter, is_let_through) in [
            ("60m", "name=60m", true),
            ("60m", "name=60M", true),
            ("60m", "name=1h", false),
            ("60m", "name!=1h", true),
            ("60m", "name=(1h 3600s)", false),
            ("1Mi", "name=1048576", false),
            ("123456789012345678901", "name=123456789012345678902", false),
        ] {
            let parsed: Filter = filter.parse().unwrap();
            let passes = parsed.lets_through(&json!({ "name": name }));
            assert_eq!(passes, is_let_through, "{name} {filter}");
        }
    }

    #[test]
    fn terms_are_joined_by_words_and_parentheses() {
        assert!(passes("name:hourly AND state=ENABLED"));
        assert!(passes("name:hourly state=ENABLED"));
        assert!(!passes("name:hourly state=PAUSED"));
        assert!(passes("name:daily OR state=ENABLED"));
        assert!(passes("(name:daily OR name:hourly) AND NOT state=PAUSED"));
        assert!(passes("NOT (name:daily OR state=PAUSED)"));
        assert!(passes("(name:hourly)"));
        assert!(passes("name:android OR name:not OR name:hourly"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (filter, reason) in [
            ("", "it is empty"),
            ("hourly", "no operator"),
            ("name:", "no value"),
            ("name=", "no value"),
            ("(name:a", "is not closed"),
            ("name:a)", "`)`"),
            ("name='a", "is not closed"),
            ("name~[", "regular expression"),
            ("name:a*b*c", "one `*`"),
            ("name:a AND state=b OR state=c", "parentheses"),
            ("name:a state=b OR state=c", "parentheses"),
            ("name:a AND", "ends"),
            ("NOT", "ends"),
            ("name.len()>3", "len()"),
            ("name==a", "`=`"),
        ] {
            let refused = filter.parse::<Filter>().unwrap_err();
            assert!(refused.contains(reason), "{filter}: {refused}");
        }
    }
}
