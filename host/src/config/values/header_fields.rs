//! Fields of a request's head, as a file has them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{header_map, headers};

/// Fields of a request's head: a table, or what `--headers` takes, once or several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderFields(pub BTreeMap<String, String>);

impl HeaderFields {
    fn read<E: Error>(texts: &[String]) -> Result<Self, E> {
        let lists = texts.iter().map(|text| headers(text));
        let lists: Result<Vec<_>, _> = lists.collect();
        let fields = lists.and_then(|lists| header_map(&lists));
        fields.map(Self).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for HeaderFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = HeaderFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of texts, or one or several of NAME=VALUE,…")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HeaderFields, E> {
        HeaderFields::read(&[text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<HeaderFields, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = texts.next_element()? {
            all.push(text);
        }
        HeaderFields::read(&all)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<HeaderFields, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(table)).map(HeaderFields)
    }
}

impl JsonSchema for HeaderFields {
    fn schema_name() -> Cow<'static, str> {
        "HeaderFields".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A table, or what `--headers` takes, once or several times.",
            "anyOf": [
                { "type": "object", "additionalProperties": { "type": "string" } },
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Job {
        headers: HeaderFields,
    }

    fn read(value: &str) -> Result<Vec<(String, String)>, String> {
        let job = toml::from_str::<Job>(&format!("headers = {value}\n"));
        let job = job.map_err(|error| error.to_string())?;
        Ok(job.headers.0.into_iter().collect())
    }

    #[test]
    fn fields_are_a_table_or_what_the_flag_takes() {
        let expected = [("Accept", "a/b"), ("X", "y, z")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for value in [
            r#"{ Accept = "a/b", X = "y, z" }"#,
            r#""^;^Accept=a/b;X=y, z""#,
            r#"["Accept=a/b", "^;^X=y, z"]"#,
        ] {
            assert_eq!(read(value).unwrap(), expected, "{value}");
        }
        assert_eq!(read("[]").unwrap(), []);
    }

    #[test]
    fn what_is_no_field_is_refused_where_it_stands() {
        for (value, reason) in [
            (
                r#""Accept""#,
                "`Accept` is not a header; expected NAME=VALUE",
            ),
            (r#"["A=b", "a=c"]"#, "`a` is given twice"),
            (r#""""#, "the list is empty"),
            ("[1]", "expected a string"),
            ("{ A = 1 }", "expected a string"),
            (
                "1",
                "expected a table of texts, or one or several of NAME=VALUE,…",
            ),
        ] {
            let refused = read(value).unwrap_err();
            assert!(refused.contains(reason), "{value}: {refused}");
            assert!(refused.contains("line 1, column 1"), "{value}: {refused}");
        }
    }
}
