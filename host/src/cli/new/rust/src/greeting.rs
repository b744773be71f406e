//! What is answered, apart from how a request comes and goes.

use serde_json::Value;

/// The status and the text of the answer to a request with this body.
pub fn answer(body: &[u8]) -> (u16, String) {
    match serde_json::from_slice::<Value>(body) {
        Ok(request) => {
            let name = request.get("name").and_then(Value::as_str);
            let name = name.filter(|name| !name.is_empty()).unwrap_or("World");
            (200, format!("Hello {name}!"))
        }
        Err(error) => {
            eprintln!("Error decoding JSON: {error}");
            (400, "JSON Error".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn whom_the_body_names_is_greeted() {
        assert_eq!(answer(br#"{"name": "Ada"}"#), (200, "Hello Ada!".to_owned()));
        assert_eq!(answer(b"{}"), (200, "Hello World!".to_owned()));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert_eq!(answer(b"no JSON").0, 400);
    }
}
