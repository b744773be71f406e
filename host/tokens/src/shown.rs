//! What others wrote, shortened and made harmless, for a message to the operator.

use std::fmt;

use serde_json::Value;

/// How many characters are shown. The beginning of a claim is enough to recognise it.
const SHOWN: usize = 80;

/// A text that is not trusted, as a message shows it: in quotation marks, at most 80 characters of it, with controls and
/// the marks that change the order of reading escaped.
///
/// ```
/// use host_tokens::Shown;
///
/// assert_eq!(Shown::text("two\nlines").to_string(), r#""two\nlines""#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// `text` in quotation marks.
    pub fn text(text: &str) -> Self {
        let (shown, cut) = shorten(text);
        Self(format!("{shown:?}{cut}"))
    }

    /// A JSON value: a text as it is in JSON, a list or an object as its JSON text, shortened.
    pub fn value(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text),
            value => {
                let json = value.to_string();
                let (shown, cut) = shorten(&json);
                // The JSON writer escapes only C0 controls; `escape_debug` would double its quotation marks.
                let safe = shown.chars().flat_map(|c| {
                    let plain = matches!(c, '"' | '\'' | '\\').then_some(c);
                    let escaped = plain.is_none().then(|| c.escape_debug());
                    plain.into_iter().chain(escaped.into_iter().flatten())
                });
                Self(safe.chain(cut.chars()).collect())
            }
        }
    }

    /// A claim that may be missing.
    pub(crate) fn claim(value: Option<&Value>) -> Self {
        value.map_or_else(|| Self("nothing".into()), Self::value)
    }
}

fn shorten(text: &str) -> (&str, &'static str) {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_shown_in_quotation_marks_and_cut() {
        assert_eq!(Shown::text("a\"b").to_string(), r#""a\"b""#);
        let long = Shown::text(&"ä".repeat(10_000)).to_string();
        assert_eq!(long, format!("\"{}\"…", "ä".repeat(80)));
    }

    #[test]
    fn nothing_reaches_a_terminal_that_it_would_act_on() {
        for c in "\x1b\r\n\t\0\x7f\u{9b}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{feff}".chars() {
            let text = Shown::text(&format!("a{c}b")).to_string();
            assert!(!text.contains(c), "{c:?}");
            let list = Shown::value(&json!([format!("a{c}b")])).to_string();
            assert!(!list.contains(c), "{c:?}");
        }
    }

    #[test]
    fn values_are_shown_as_json() {
        assert_eq!(
            Shown::value(&json!(["a", 7, null])).to_string(),
            r#"["a",7,null]"#
        );
        assert_eq!(Shown::value(&json!(1e300)).to_string(), "1e+300");
        assert_eq!(Shown::claim(None).to_string(), "nothing");
    }
}
