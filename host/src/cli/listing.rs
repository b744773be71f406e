//! How commands print what they found: `--format`, and for lists `--filter`, `--sort-by` and `--limit`, as gcloud has them.

mod compare;
mod filter;
mod format;
mod key;

use std::cmp::Ordering;
use std::num::NonZeroUsize;
use std::str::FromStr;

use clap::Args;
use serde_json::Value;

use super::Message;
use super::format::{DocumentFormat, columns, document, print};
use crate::stderr;
use compare::compare;
use filter::Filter;
use format::{Columns, Format};
use key::Key;

/// How one thing is shown.
#[derive(Args)]
pub(super) struct Shown {
    /// How it is printed: yaml, json, value(KEY,…), csv(KEY,…), table(KEY,…) or none
    #[arg(
        long,
        short = 'o',
        default_value = "yaml",
        value_parser = format_of_one,
        value_name = "FORMAT",
        hide_default_value = true
    )]
    format: Format,
}

/// How several things are shown, and which of them.
#[derive(Args, Default)]
pub(super) struct Listed {
    /// How they are printed: table, json, yaml, value(KEY,…), csv(KEY,…), table(KEY,…) or none
    #[arg(
        long,
        short = 'o',
        default_value = "table",
        value_name = "FORMAT",
        hide_default_value = true
    )]
    format: Format,

    /// Only those that meet this, such as `state=ENABLED AND name:hourly*`
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    filter: Option<Filter>,

    /// In the order of these keys; with `~` before a key, backwards
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    sort_by: Vec<SortKey>,

    /// How many at most, or `unlimited`
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<Limit>,
}

/// How many things are shown at most, if that has a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit(Option<NonZeroUsize>);

/// A key that a list is sorted by.
#[derive(Clone, Debug)]
struct SortKey {
    text: String,
    key: Key,
    is_backwards: bool,
}

/// Something that is listed: all there is to know of it, and its row in the command's own table.
pub(super) struct Item<const N: usize> {
    pub(super) value: Value,
    pub(super) row: [String; N],
}

impl Shown {
    /// Prints `value`.
    pub(super) fn show(&self, value: &Value) -> Result<(), Message> {
        let text = match &self.format {
            Format::Json(keys) => document(&part(keys.as_ref(), value), DocumentFormat::Json)?,
            Format::Yaml(keys) => document(&part(keys.as_ref(), value), DocumentFormat::Yaml)?,
            format => in_columns(format, std::slice::from_ref(value)),
        };
        print(&text)
    }
}

impl Listed {
    /// With `limit` where none was given.
    pub(super) fn or_limit(mut self, limit: NonZeroUsize) -> Self {
        self.limit = self.limit.or(Some(Limit(Some(limit))));
        self
    }

    /// How many of `all` have to be looked at: no more than are shown, if they are shown in the order that they come in.
    pub(super) fn needed(&self, all: usize) -> usize {
        match (self.limit, &self.filter, self.sort_by.is_empty()) {
            (Some(Limit(Some(limit))), None, true) => limit.get().min(all),
            _ => all,
        }
    }

    /// Prints those of `items` that are asked for, as a table with this head if no other form is.
    pub(super) fn show<const N: usize>(
        &self,
        head: [&str; N],
        mut items: Vec<Item<N>>,
    ) -> Result<(), Message> {
        self.warn_of_unknown_keys(&items);
        if let Some(filter) = &self.filter {
            items.retain(|item| filter.lets_through(&item.value));
        }
        items.sort_by(|one, other| self.order(&one.value, &other.value));
        if let Some(Limit(Some(limit))) = self.limit {
            items.truncate(limit.get());
        }
        let is_document = matches!(
            self.format,
            Format::Json(_) | Format::Yaml(_) | Format::None
        );
        if items.is_empty() && !is_document {
            stderr::line!("Listed 0 items.");
            return Ok(());
        }
        let text = match &self.format {
            Format::Table(None) => {
                let rows: Vec<_> = items.into_iter().map(|item| item.row).collect();
                super::format::table(head, &rows)
            }
            Format::Json(keys) => document(&parts(keys.as_ref(), &items), DocumentFormat::Json)?,
            Format::Yaml(keys) => document(&parts(keys.as_ref(), &items), DocumentFormat::Yaml)?,
            format => {
                let values: Vec<_> = items.into_iter().map(|item| item.value).collect();
                in_columns(format, &values)
            }
        };
        print(&text)
    }

    fn order(&self, one: &Value, other: &Value) -> Ordering {
        let orders = self.sort_by.iter().map(|by| {
            let [one, other] = [one, other].map(|item| by.key.find(item).unwrap_or_default());
            match by.is_backwards {
                true => compare(&other, &one),
                false => compare(&one, &other),
            }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }

    /// A key that nothing has is a typing error, most likely.
    fn warn_of_unknown_keys<const N: usize>(&self, items: &[Item<N>]) {
        let filtered = self.filter.iter().flat_map(|filter| &filter.keys);
        let filtered = filtered.map(|(text, key)| (text, key));
        let sorted = self.sort_by.iter().map(|by| (&by.text, &by.key));
        for (text, key) in filtered.chain(sorted) {
            let is_known = items.iter().any(|item| key.find(&item.value).is_some());
            if !items.is_empty() && !is_known {
                stderr::line!(
                    "note: nothing here has the key `{text}`; --format json shows the keys that there are"
                );
            }
        }
    }
}

fn part(keys: Option<&Columns>, value: &Value) -> Value {
    keys.map_or_else(|| value.clone(), |keys| keys.part(value))
}

fn parts<const N: usize>(keys: Option<&Columns>, items: &[Item<N>]) -> Value {
    items.iter().map(|item| part(keys, &item.value)).collect()
}

/// `values` in a form that has a column for each of its keys.
fn in_columns(format: &Format, values: &[Value]) -> String {
    match format {
        Format::Table(Some(keys)) => {
            let rows = values.iter().map(|value| keys.cells(value));
            columns(&keys.head().into_iter().chain(rows).collect::<Vec<_>>())
        }
        Format::Value(keys) => keys.values(values),
        Format::Csv(keys) => keys.csv(values),
        _ => String::new(),
    }
}

/// Parses the form of one thing. It is refused before anything is done: there is no table for it but one of keys.
fn format_of_one(text: &str) -> Result<Format, String> {
    match text.parse::<Format>()? {
        Format::Table(None) => {
            Err("a table is made of keys; name them, such as --format 'table(name,state)'".into())
        }
        format => Ok(format),
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlimited" => Ok(Self(None)),
            _ => text.parse().map(|limit| Self(Some(limit))).map_err(|_| {
                format!("`{text}` is not a number of things; expected one above 0, or `unlimited`")
            }),
        }
    }
}

impl FromStr for SortKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let key = text.strip_prefix('~');
        Ok(Self {
            text: key.unwrap_or(text).to_owned(),
            key: key.unwrap_or(text).parse()?,
            is_backwards: key.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::command;

    #[test]
    fn one_thing_has_no_table_but_one_of_keys() {
        let reason = format_of_one("table").unwrap_err();
        assert!(reason.contains("table(name,state)"), "{reason}");
        for format in ["table(name)", "json", "yaml", "value(name)", "none"] {
            assert!(format_of_one(format).is_ok(), "{format}");
        }
        let line = "host scheduler jobs create http j --schedule x --uri u --format";
        for (format, is_taken) in [("table", false), ("table(name)", true)] {
            let words = line.split(' ').chain([format]);
            let parsed = command().try_get_matches_from(words);
            assert_eq!(parsed.is_ok(), is_taken, "{format}");
        }
    }

    #[test]
    fn items_are_sorted_by_keys_and_backwards() {
        let listed = Listed {
            sort_by: vec!["a".parse().unwrap(), "~b".parse().unwrap()],
            ..Listed::default()
        };
        let mut items = vec![
            json!({"a": "x", "b": 1}),
            json!({"a": 10, "b": 1}),
            json!({"b": 3}),
            json!({"a": 10, "b": 2}),
        ];
        items.sort_by(|one, other| listed.order(one, other));
        let expected = [
            json!({"b": 3}),
            json!({"a": 10, "b": 2}),
            json!({"a": 10, "b": 1}),
            json!({"a": "x", "b": 1}),
        ];
        assert_eq!(items, expected);
    }
}
