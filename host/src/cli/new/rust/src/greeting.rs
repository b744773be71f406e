//! What is answered, apart from how a request comes and goes.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// Who is greeted when nobody is named.
const ANYONE: &str = "World";

/// The status and the text of the answer to a request with this body.
///
/// JSON without a name (`null`, `""`, zero, `false`, no such member, no object at all) greets the world; a name that is no
/// string is greeted as it is written.
pub fn answer(body: &[u8]) -> (u16, String) {
    match name(body) {
        Ok(name) => (200, format!("Hello {}!", name.as_deref().unwrap_or(ANYONE))),
        Err(error) => {
            eprintln!("Error decoding JSON: {error}");
            (400, "JSON Error".to_owned())
        }
    }
}

/// The member `name` of the body, if it has one that says something.
fn name(body: &[u8]) -> serde_json::Result<Option<String>> {
    let document: &RawValue = serde_json::from_slice(body)?;
    let members: HashMap<String, &RawValue> = match document.get().starts_with('{') {
        true => serde_json::from_str(document.get())?,
        false => HashMap::new(),
    };
    let Some(name) = members.get("name").map(|name| name.get()) else {
        return Ok(None);
    };
    let text = match name.starts_with('"') {
        true => serde_json::from_str(name)?,
        false => name.to_owned(),
    };
    let is_empty = matches!(name, "null" | "false" | r#""""#) || is_zero(name);
    Ok((!is_empty).then_some(text))
}

/// Whether a JSON value is zero, however it is written: `0`, `-0.0`, `0e9`.
fn is_zero(value: &str) -> bool {
    let digits = value.split(['e', 'E']).next().unwrap_or(value);
    digits.bytes().all(|byte| b"-0.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::answer;

    fn greeting(body: &str) -> String {
        let (status, text) = answer(body.as_bytes());
        assert_eq!(status, 200, "{body}");
        text
    }

    #[test]
    fn whom_the_body_names_is_greeted() {
        assert_eq!(greeting(r#"{"name": "Ada"}"#), "Hello Ada!");
        assert_eq!(greeting("{}"), "Hello World!");
        assert_eq!(greeting(r#"{"name": 0.0}"#), "Hello World!");
    }

    #[test]
    fn a_name_that_is_no_string_is_greeted_as_it_is_written() {
        assert_eq!(greeting(r#"{"name": 7}"#), "Hello 7!");
        assert_eq!(
            greeting(r#"{"name": {"a": [true]}}"#),
            r#"Hello {"a": [true]}!"#
        );
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert_eq!(answer(b"no JSON").0, 400);
        assert_eq!(answer(b"{\"name\": \"\xff\"}").0, 400);
    }
}
