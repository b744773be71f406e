//! Fields of documents in protobuf's JSON form.
//!
//! <https://protobuf.dev/programming-guides/json/>: enumerations come as names or numbers, 64-bit integers as text or
//! numbers, durations as `3.5s`, bytes as base64 in either alphabet.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::Status;

/// The most milliseconds of a duration, about 10,000 years (`google.protobuf.Duration`).
const LONGEST: f64 = 315_576_000_000_000.0;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A document whose fields are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    /// The fields of `document`.
    pub(crate) fn of(document: &'a Value) -> Self {
        Self(document)
    }

    /// The value of `field`, if it is there and not null.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// The document in `field`; one without fields if there is none.
    pub(crate) fn inner(&self, field: &str) -> Fields<'a> {
        Fields(self.get(field).unwrap_or(&Value::Null))
    }

    /// The text in `field`, if it is there.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, Status> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(field, "a text")),
        }
    }

    /// Whether `field` is true, if it is there.
    ///
    /// # Errors
    /// If it is something else than true or false.
    pub(crate) fn boolean(&self, field: &str) -> Result<Option<bool>, Status> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(wrong(field, "true or false")),
        }
    }

    /// The whole number in `field`, if it is there.
    ///
    /// # Errors
    /// If it is something else, or negative or over 4,294,967,295.
    pub(crate) fn number(&self, field: &str) -> Result<Option<u32>, Status> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let number = match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        number
            .map(Some)
            .ok_or_else(|| wrong(field, "a whole number from 0 on"))
    }

    /// The milliseconds of the duration in `field`, if it is there.
    ///
    /// # Errors
    /// If it is something else, or negative.
    pub(crate) fn duration(&self, field: &str) -> Result<Option<u64>, Status> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let seconds = text
            .strip_suffix('s')
            .and_then(|text| text.parse::<f64>().ok());
        let milliseconds = seconds.map(|seconds| seconds * 1000.0);
        match milliseconds {
            Some(milliseconds) if (0.0..=LONGEST).contains(&milliseconds) => {
                Ok(Some(milliseconds.round() as u64))
            }
            _ => Err(wrong(field, "a duration such as 3.5s")),
        }
    }

    /// The name of the enumeration's value in `field`, if it is there. `names` has those that there are, by number; the
    /// first one stands for none.
    ///
    /// # Errors
    /// If it is none of them.
    pub(crate) fn name(
        &self,
        field: &str,
        names: &[&'static str],
    ) -> Result<Option<&'static str>, Status> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let number = match value {
            Value::String(text) => names.iter().position(|name| name == text),
            value => value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok()),
        };
        match number.and_then(|number| names.get(number)) {
            Some(name) if *name == names[0] => Ok(None),
            Some(name) => Ok(Some(name)),
            None => Err(wrong(field, &format!("one of {}", names[1..].join(", ")))),
        }
    }

    /// The bytes in `field`, if it is there.
    ///
    /// # Errors
    /// If it is not base64.
    pub(crate) fn bytes(&self, field: &str) -> Result<Option<Vec<u8>>, Status> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let bytes = STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text));
        bytes.map(Some).map_err(|_| wrong(field, "base64"))
    }

    /// The texts by name in `field`; none if it is not there.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn map<T: FromIterator<(String, String)>>(&self, field: &str) -> Result<T, Status> {
        let empty = Map::new();
        let object = match self.get(field) {
            None => &empty,
            Some(Value::Object(object)) => object,
            Some(_) => return Err(wrong(field, "an object of texts")),
        };
        let pairs = object.iter().map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            _ => Err(wrong(field, "an object of texts")),
        });
        pairs.collect()
    }

    /// The texts in `field`; none if it is not there.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn list(&self, field: &str) -> Result<Vec<String>, Status> {
        let values = match self.get(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(wrong(field, "a list of texts")),
        };
        let texts = values.iter().map(|value| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| wrong(field, "a list of texts"))
        });
        texts.collect()
    }

    /// Makes sure that there are no fields but those in `known`.
    ///
    /// # Errors
    /// If there is one, naming it.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Status> {
        let mut names = self.0.as_object().into_iter().flat_map(Map::keys);
        match names.find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Status::invalid(format!(
                "the field `{name}` is not known; expected one of {}",
                known.join(", ")
            ))),
        }
    }
}

/// Milliseconds as a duration, such as `3.5s`.
pub(crate) fn seconds(milliseconds: u64) -> String {
    match (milliseconds / 1000, milliseconds % 1000) {
        (seconds, 0) => format!("{seconds}s"),
        (seconds, rest) => format!("{seconds}.{rest:03}s"),
    }
}

fn wrong(field: &str, expected: &str) -> Status {
    Status::invalid(format!("the field `{field}` is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const METHODS: [&str; 3] = ["UNSPECIFIED", "POST", "GET"];

    #[test]
    fn enumerations_come_as_names_and_numbers() {
        let document = json!({ "a": "GET", "b": 1, "c": 0, "d": "PUT", "e": 3, "f": null });
        let name = |field| Fields::of(&document).name(field, &METHODS);
        assert_eq!(name("a"), Ok(Some("GET")));
        assert_eq!(name("b"), Ok(Some("POST")));
        for none in ["c", "f", "g"] {
            assert_eq!(name(none), Ok(None), "{none}");
        }
        for wrong in ["d", "e"] {
            assert!(name(wrong).unwrap_err().message.contains("POST, GET"));
        }
    }

    #[test]
    fn durations_are_seconds_with_a_fraction() {
        for (text, expected) in [("30s", 30_000), ("1.5s", 1500), ("0s", 0), ("0.0004s", 0)] {
            let document = json!({ "t": text });
            assert_eq!(Fields::of(&document).duration("t"), Ok(Some(expected)));
        }
        for text in ["30", "-1s", "s", "nans", "infs", "1e300s", "1m"] {
            let document = json!({ "t": text });
            assert!(Fields::of(&document).duration("t").is_err(), "{text}");
        }
        assert_eq!(
            (seconds(30_000), seconds(1500)),
            ("30s".into(), "1.500s".into())
        );
    }

    #[test]
    fn numbers_and_bytes_come_in_all_forms() {
        let document =
            json!({ "a": "7", "b": 7, "c": -1, "d": 1.5, "e": "aGk=", "f": "-_8", "g": "*" });
        let fields = Fields::of(&document);
        assert_eq!(
            (fields.number("a"), fields.number("b")),
            (Ok(Some(7)), Ok(Some(7)))
        );
        assert!(fields.number("c").is_err() && fields.number("d").is_err());
        assert_eq!(fields.bytes("e"), Ok(Some(b"hi".to_vec())));
        assert_eq!(fields.bytes("f"), Ok(Some(vec![0xfb, 0xff])));
        assert!(fields.bytes("g").is_err());
    }

    #[test]
    fn what_is_of_another_type_is_named() {
        let document = json!({ "a": [1], "b": { "c": 1 } });
        let fields = Fields::of(&document);
        assert!(fields.text("a").is_err() && fields.list("a").is_err());
        assert!(fields.map::<Vec<_>>("b").is_err() && fields.boolean("a").is_err());
        let error = fields.only(&["a"]).unwrap_err();
        assert!(error.message.contains("`b`"), "{error}");
    }
}
