//! A response, as a client got it.

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header fields in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
    /// The trailer fields in their order, names in lower case.
    pub trailers: Vec<(String, String)>,
}

impl Reply {
    /// The body as text; invalid UTF-8 is a failure.
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body is not UTF-8: {error}: {:?}", self.body),
        }
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not JSON: {error}: {:?}", self.text()),
        }
    }

    /// The first field called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The first trailer field called `name`, in any case.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }

    /// The execution's id.
    #[track_caller]
    pub fn execution_id(&self) -> &str {
        match self.header("function-execution-id") {
            Some(id) => id,
            None => panic!("the reply names no execution: {self:?}"),
        }
    }
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut named = fields
        .iter()
        .filter(|(field, _)| field.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}
