//! The functions of the language.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::field::Field;
use super::leaves;
use super::literal::Quoted;

/// The functions that are supported.
pub(super) const NAMES: [&str; 4] = ["log_id", "SEARCH", "sample", "ip_in_net"];
/// The most arguments of a function.
pub(super) const MAX_ARGUMENTS: usize = 2;

/// A function and its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Function {
    /// The entry is in the log with this id.
    LogId(String),
    /// All words of a text are in one field or another, or in this field.
    Search(Option<Field>, SearchWords),
    /// A share of the entries, between 0 and 1, chosen by the value of the field.
    Sample(Field, f64),
    /// The field is an address in the network.
    IpInNet(Field, IpNet),
}

/// A text, and its words in lower case, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SearchWords {
    text: String,
    words: BTreeSet<String>,
}

/// An argument.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    /// In quotes.
    Text(String),
    /// Without quotes: the text, and its segments if it is a field.
    Word(String, Vec<String>),
}

/// Whether there is a function called `name`.
pub(super) fn is_known(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Function {
    /// The function `name`, one of [`NAMES`] in any case.
    ///
    /// # Errors
    /// If the arguments are not those of the function.
    pub(super) fn new(name: &str, arguments: Vec<Argument>) -> Result<Self, String> {
        use Argument::{Text, Word};
        let mut arguments = arguments.into_iter();
        let arguments = (arguments.next(), arguments.next());
        match (name.to_ascii_lowercase().as_str(), arguments) {
            ("log_id", (Some(Text(id)), None)) => Ok(Self::LogId(id)),
            ("search", (Some(Text(text)), None)) => Ok(Self::Search(None, SearchWords::new(text)?)),
            ("search", (Some(Word(_, path)), Some(Text(text)))) => Ok(Self::Search(
                Some(Field::new(path)?),
                SearchWords::new(text)?,
            )),
            ("sample", (Some(Word(_, path)), Some(Word(share, _)))) => {
                let share = share
                    .parse()
                    .ok()
                    .filter(|share| (0.0..=1.0).contains(share));
                let share = share.ok_or("the share of `sample` is a number between 0 and 1")?;
                Ok(Self::Sample(Field::new(path)?, share))
            }
            ("ip_in_net", (Some(Word(_, path)), Some(Text(net)))) => {
                let net = net.parse();
                let net = net.map_err(|_| "expected a network such as \"10.0.0.0/8\"")?;
                Ok(Self::IpInNet(Field::new(path)?, net))
            }
            ("log_id", _) => Err("expected log_id(\"LOG_ID\")".into()),
            ("search", _) => Err("expected SEARCH(\"TEXT\") or SEARCH(FIELD, \"TEXT\")".into()),
            ("sample", _) => Err("expected sample(FIELD, SHARE)".into()),
            _ => Err("expected ip_in_net(FIELD, \"NETWORK\")".into()),
        }
    }

    /// How many terms it counts as beside itself.
    pub(super) fn more_terms(&self) -> usize {
        match self {
            Self::Search(_, words) => words.words.len() - 1,
            _ => 0,
        }
    }

    /// Whether `entry` matches.
    pub(super) fn matches(&self, entry: &Value) -> bool {
        match self {
            Self::LogId(id) => is_in_log(entry, id),
            Self::Search(None, words) => words.are_in(&[entry]),
            Self::Search(Some(field), words) => {
                let found = RefCell::new(Vec::new());
                field.any(entry, &|value| {
                    found.borrow_mut().push(value.clone());
                    false
                });
                words.are_in(&found.borrow().iter().collect::<Vec<_>>())
            }
            Self::Sample(field, share) => field.any(entry, &|value| {
                let hash = crc32fast::hash(leaves::plain(value).as_bytes());
                f64::from(hash) < share * (f64::from(u32::MAX) + 1.0)
            }),
            Self::IpInNet(field, net) => field.any(entry, &|value| {
                let address = value.as_str().and_then(|text| text.parse::<IpAddr>().ok());
                address.is_some_and(|address| net.contains(&address))
            }),
        }
    }
}

impl SearchWords {
    fn new(text: String) -> Result<Self, String> {
        if text.contains('`') {
            return Err(
                "SEARCH finds words, not phrases in backticks; use `:` for a phrase".into(),
            );
        }
        let words: BTreeSet<_> = words(&text).collect();
        match words.is_empty() {
            true => Err("SEARCH needs a text with words".into()),
            false => Ok(Self { text, words }),
        }
    }

    fn are_in(&self, values: &[&Value]) -> bool {
        let mut missing: HashSet<&str> = self.words.iter().map(String::as_str).collect();
        let mut finds_last = |text: &str| {
            words(text).any(|word| {
                missing.remove(word.as_str());
                missing.is_empty()
            })
        };
        values
            .iter()
            .any(|value| leaves::any(value, &mut finds_last))
    }
}

/// The words of `text`, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase)
}

/// Whether the name of `entry`'s log ends with `id`, in which `/` may be escaped.
fn is_in_log(entry: &Value, id: &str) -> bool {
    let plain = |id: &str| id.to_lowercase().replace("%2f", "/");
    let name = entry.get("logName").and_then(Value::as_str);
    let stored = name.and_then(|name| name.split_once("/logs/"));
    stored.is_some_and(|(_, stored)| plain(stored) == plain(id))
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogId(id) => write!(f, "log_id({})", Quoted(id)),
            Self::Search(None, words) => write!(f, "SEARCH({})", Quoted(&words.text)),
            Self::Search(Some(field), words) => {
                write!(f, "SEARCH({field}, {})", Quoted(&words.text))
            }
            Self::Sample(field, share) => write!(f, "sample({field}, {share})"),
            Self::IpInNet(field, net) => write!(f, "ip_in_net({field}, \"{net}\")"),
        }
    }
}
