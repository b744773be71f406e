//! What a method is given.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fields::Fields;
use super::mask::Mask;
use super::page::Page;
use super::principal::Caller;
use super::{Code, Params, Status};

/// One call of a method.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// The parts of the path that are names.
    pub(crate) params: Params,
    /// What stands behind the path's question mark.
    pub(crate) query: Query,
    /// The body as it came.
    pub(crate) body: Bytes,
    /// Where the client reaches the control plane, such as `http://127.0.0.1:8081`.
    pub(crate) origin: String,
    /// Whether this is a command of this program, which is told of fields that it should not have sent.
    pub(crate) is_own_client: bool,
}

/// The pairs of a query. Those that a method does not know are ignored, as Google's servers do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// The most pairs that are read.
const MOST_PAIRS: usize = 100;

impl Query {
    /// Reads the text behind the question mark.
    pub(crate) fn read(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
        Self(pairs.take(MOST_PAIRS).collect())
    }

    /// The first value of `name`, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let pair = pairs.find(|(other, _)| other == name);
        pair.map(|(_, value)| value.as_str())
    }
}

impl Request<'_> {
    /// The body as JSON; an empty object if there is none, or an empty text, which Google's client for Node.js sends for a
    /// message without fields.
    ///
    /// # Errors
    /// If it is no JSON object.
    pub(crate) fn json(&self) -> Result<Value, Status> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        match serde_json::from_slice(&self.body) {
            Ok(object @ Value::Object(_)) => Ok(object),
            Ok(Value::String(text)) if text.is_empty() => Ok(Value::Object(serde_json::Map::new())),
            Ok(_) => Err(Status::invalid("the body is not a JSON object")),
            Err(error) => Err(Status::invalid(format!("the body is not JSON: {error}"))),
        }
    }

    /// The body as a `T`.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Status> {
        read(self.json()?)
    }

    /// The fields that are to be changed; none are named if all that the body has are meant. It stands in the query, or in
    /// the body.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn mask(&self) -> Result<Option<Mask>, Status> {
        let query = self
            .query
            .get("updateMask")
            .or(self.query.get("update_mask"));
        match query {
            Some(query) => Mask::read(query),
            None => {
                let body = self.json()?;
                let named = Fields::of(&body).text("updateMask")?;
                named.map_or(Ok(None), |named| Mask::read(&named))
            }
        }
    }

    /// The page of a list that is wanted.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn page(&self) -> Result<Page, Status> {
        Page::read(self.query.get("pageSize"), self.query.get("pageToken"))
    }
}

/// `value` as a document.
///
/// # Errors
/// If it has no form in JSON.
pub(crate) fn document<T: Serialize>(value: &T) -> Result<Value, Status> {
    serde_json::to_value(value).map_err(|error| {
        let message = format!("the answer has no form in JSON: {error}");
        Status::new(Code::Internal, message)
    })
}

/// `value` as a `T`.
///
/// # Errors
/// If it is none.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Status> {
    serde_json::from_value(value).map_err(|error| Status::invalid(format!("the body: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_object_or_nothing() {
        let caller = Caller::owner();
        let json = |body: &'static str| {
            let request = Request {
                caller: &caller,
                params: Params::default(),
                query: Query::default(),
                body: Bytes::from_static(body.as_bytes()),
                origin: String::new(),
                is_own_client: false,
            };
            request.json()
        };
        for nothing in ["", " \n", "{}", "\"\""] {
            assert_eq!(json(nothing), Ok(serde_json::json!({})), "{nothing}");
        }
        for wrong in ["[]", "null", "\"a\"", "{"] {
            assert!(json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_query_is_decoded_and_what_nobody_knows_is_ignored() {
        let query =
            Query::read("updateMask=schedule%2Chttp_target.uri&$alt=json%3Benum-encoding=int&&x");
        assert_eq!(query.get("updateMask"), Some("schedule,http_target.uri"));
        assert_eq!(query.get("x"), Some(""));
        assert_eq!(query.get("pageSize"), None);
        let many = "a=1&".repeat(MOST_PAIRS) + "b=2";
        assert_eq!(Query::read(&many).get("b"), None);
    }
}
