//! `--format`: in which form items are printed.

use std::fmt::Write;
use std::str::FromStr;

use serde_json::Value;

use super::compare::plain;
use super::key::Key;

/// A form, and the keys that are printed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Format {
    /// The command's own table, or one with these columns.
    Table(Option<Columns>),
    Json(Option<Columns>),
    Yaml(Option<Columns>),
    /// Values alone.
    Value(Columns),
    /// Comma-separated values.
    Csv(Columns),
    /// Nothing.
    None,
}

impl Default for Format {
    fn default() -> Self {
        Self::Table(None)
    }
}

/// The keys in the parentheses of a form, and the attributes in its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Columns {
    columns: Vec<Column>,
    has_heading: bool,
    separator: Option<String>,
    delimiter: String,
    terminator: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    key: Key,
    label: Option<String>,
    /// `KEY.basename()`: what stands behind the last slash
    is_basename: bool,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = text.find(['[', '(']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let columns = Columns::parse(rest).map_err(|error| format!("`{text}`: {error}"))?;
        let needed = || {
            columns.clone().ok_or_else(|| {
                format!("`{text}` names no keys; expected some in parentheses, such as {name}(name,state)")
            })
        };
        match name {
            "table" => Ok(Self::Table(columns)),
            "json" => Ok(Self::Json(columns)),
            "yaml" | "default" => Ok(Self::Yaml(columns)),
            "value" | "get" => needed().map(Self::Value),
            "csv" => needed().map(Self::Csv),
            "none" | "disable" => Ok(Self::None),
            _ => Err(format!(
                "`{name}` is not a format; expected table, json, yaml, value(KEY,…), csv(KEY,…) or none"
            )),
        }
    }
}

impl Columns {
    /// Reads `[ATTRIBUTE,…](KEY,…)`, of which both may be missing.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut columns = Self {
            columns: Vec::new(),
            has_heading: true,
            separator: None,
            delimiter: ";".into(),
            terminator: "\n".into(),
        };
        let keys = match text.strip_prefix('[') {
            None => text,
            Some(rest) => {
                let (attributes, rest) = rest.split_once(']').ok_or("`[` is not closed")?;
                columns.set(attributes)?;
                rest
            }
        };
        if keys.is_empty() {
            return match text.is_empty() {
                true => Ok(None),
                false => Err("attributes stand before keys in parentheses".into()),
            };
        }
        let keys = keys
            .strip_prefix('(')
            .and_then(|keys| keys.strip_suffix(')'));
        let keys = keys.ok_or("expected keys in parentheses, such as (name,state)")?;
        for key in split(keys) {
            columns.columns.push(Column::parse(key.trim())?);
        }
        Ok(Some(columns))
    }

    fn set(&mut self, attributes: &str) -> Result<(), String> {
        // A comma in quotes divides nothing.
        for attribute in split(attributes) {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim_matches(['"', '\'']);
            let value = value.replace("\\n", "\n").replace("\\t", "\t");
            match name.trim() {
                "no-heading" => self.has_heading = false,
                "separator" => self.separator = Some(value),
                "delimiter" => self.delimiter = value,
                "terminator" => self.terminator = value,
                other => {
                    return Err(format!(
                        "the attribute `{other}` is not known here; expected no-heading, separator, delimiter or \
                         terminator"
                    ));
                }
            }
        }
        Ok(())
    }

    /// A part of `item`: what these keys lead to.
    pub(super) fn part(&self, item: &Value) -> Value {
        let mut part = Value::Object(serde_json::Map::new());
        for column in &self.columns {
            if let Some(found) = column.find(item) {
                column.key.place(&mut part, found);
            }
        }
        part
    }

    /// The cells of a table's row.
    pub(super) fn cells(&self, item: &Value) -> Vec<String> {
        let cells = self.columns.iter();
        let cells = cells.map(|column| text(column.find(item), &self.delimiter));
        cells.collect()
    }

    /// The head of a table.
    pub(super) fn head(&self) -> Option<Vec<String>> {
        let labels = self.columns.iter().map(Column::heading);
        self.has_heading.then(|| labels.collect())
    }

    /// The lines of values alone.
    pub(super) fn values(&self, items: &[Value]) -> String {
        let separator = self.separator.as_deref().unwrap_or("\t");
        let lines = items.iter().map(|item| self.cells(item).join(separator));
        lines.map(|line| line + &self.terminator).collect()
    }

    /// Comma-separated values (RFC 4180).
    pub(super) fn csv(&self, items: &[Value]) -> String {
        let separator = self.separator.as_deref().unwrap_or(",");
        let labels = self.columns.iter().map(|column| match &column.label {
            Some(label) => label.clone(),
            None => snake(column.key.last_name()),
        });
        let head = (self.has_heading && !items.is_empty()).then(|| labels.collect());
        let rows = head
            .into_iter()
            .chain(items.iter().map(|item| self.cells(item)));
        let mut text = String::new();
        for row in rows {
            let row: Vec<_> = row.iter().map(|cell| quoted(cell, separator)).collect();
            let _ = write!(text, "{}{}", row.join(separator), self.terminator);
        }
        text
    }
}

impl Column {
    fn parse(text: &str) -> Result<Self, String> {
        let (text, label) = match text.split_once(':') {
            None => (text, None),
            Some((text, attribute)) => match attribute.split_once('=') {
                Some(("label", label)) => (text, Some(label.trim_matches(['"', '\'']).to_owned())),
                _ => {
                    return Err(format!(
                        "`:{attribute}` is not known here; expected :label=TEXT; lists are sorted by --sort-by"
                    ));
                }
            },
        };
        let basename = text.strip_suffix(".basename()");
        Ok(Self {
            key: basename.unwrap_or(text).parse()?,
            label,
            is_basename: basename.is_some(),
        })
    }

    fn find(&self, item: &Value) -> Option<Value> {
        let found = self.key.find(item)?;
        match (&found, self.is_basename) {
            (Value::String(text), true) => text.rsplit('/').next().map(Value::from),
            _ => Some(found),
        }
    }

    /// `HTTP_TARGET` for `httpTarget`.
    fn heading(&self) -> String {
        let label = self.label.clone();
        label.unwrap_or_else(|| snake(self.key.last_name()).to_uppercase())
    }
}

/// `http_target` for `httpTarget`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// A value as gcloud prints it: lists and objects in one line, truth values with a capital letter.
fn text(value: Option<Value>, delimiter: &str) -> String {
    match value {
        Some(Value::Bool(is_true)) => if is_true { "True" } else { "False" }.into(),
        Some(Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(plain).collect();
            items.join(delimiter)
        }
        Some(Value::Object(members)) => {
            let members = members.iter();
            let pairs = members.map(|(name, value)| format!("{name}={}", plain(value)));
            pairs.collect::<Vec<_>>().join(delimiter)
        }
        Some(value) => plain(&value),
        None => String::new(),
    }
}

fn quoted(cell: &str, separator: &str) -> String {
    let is_plain = !cell.contains(['"', '\n', '\r', ';'])
        && !cell.contains(separator)
        && cell.trim().len() == cell.len();
    match is_plain {
        true => cell.to_owned(),
        false => format!("\"{}\"", cell.replace('"', "\"\"")),
    }
}

/// The parts of `text` between commas that stand in no quotes, parentheses or brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(text: &str) -> Columns {
        match text.parse() {
            Ok(Format::Value(columns) | Format::Csv(columns) | Format::Table(Some(columns))) => {
                columns
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    fn items() -> Vec<Value> {
        vec![
            json!({"name": "a", "open": true, "httpTarget": {"uri": "http://x/,y"}, "list": ["1", "2"]}),
            json!({"name": "p/l/b", "labels": {"k": "v", "m": "n"}}),
        ]
    }

    #[test]
    fn values_stand_alone_divided_by_tabs() {
        let items = items();
        assert_eq!(columns("value(name)").values(&items), "a\np/l/b\n");
        assert_eq!(columns("value(name.basename())").values(&items), "a\nb\n");
        let all = columns("value(name, open, list, labels, httpTarget.uri)").values(&items);
        assert_eq!(all, "a\tTrue\t1;2\t\thttp://x/,y\np/l/b\t\t\tk=v;m=n\t\n");
        let set = columns(r#"get[separator=", ",delimiter="|"](name,list)"#).values(&items[..1]);
        assert_eq!(set, "a, 1|2\n");
    }

    #[test]
    fn comma_separated_values_have_a_head_and_quotes() {
        let items = items();
        assert_eq!(
            columns("csv(name,httpTarget.uri)").csv(&items[..1]),
            "name,uri\na,\"http://x/,y\"\n"
        );
        assert_eq!(columns("csv[no-heading](name)").csv(&items), "a\np/l/b\n");
        assert_eq!(columns("csv(name)").csv(&[]), "");
    }

    #[test]
    fn a_table_has_heads_made_of_keys() {
        let table = columns("table(name:label=ID, httpTarget.uri, allowUnauthenticated)");
        let head = table.head().unwrap();
        assert_eq!(head, ["ID", "URI", "ALLOW_UNAUTHENTICATED"]);
        assert_eq!(columns("table[no-heading](name)").head(), None);
    }

    #[test]
    fn a_part_of_an_item_keeps_its_shape() {
        let Ok(Format::Json(Some(columns))) = "json(name,httpTarget.uri,none)".parse() else {
            panic!("it is a format");
        };
        let part = columns.part(&items()[0]);
        assert_eq!(
            part,
            json!({"name": "a", "httpTarget": {"uri": "http://x/,y"}})
        );
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_name() {
        for (format, reason) in [
            ("", "is not a format"),
            ("xml", "`xml` is not a format"),
            ("value", "names no keys"),
            ("csv", "names no keys"),
            ("value(name", "parentheses"),
            ("value()", "is not a key"),
            ("table[box](name)", "`box`"),
            ("json[no-undefined]", "`no-undefined`"),
            ("csv[no-heading]", "keys in parentheses"),
            ("value(name.len())", "len()"),
            ("value(createTime.date('%Y', tz=UTC))", "date()"),
            ("table(name:sort=1)", "--sort-by"),
        ] {
            let refused = format.parse::<Format>().unwrap_err();
            assert!(refused.contains(reason), "{format}: {refused}");
        }
    }
}
