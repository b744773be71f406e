//! YAML: what commands print, and files of variables.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_saphyr::{
    MergeKeyPolicy, SerializeError, UserMessageFormatter, from_slice_with_options, options,
    ser_options, to_string_with_options,
};

/// `value` as YAML, with a line feed at its end. What readers of YAML 1.1 would take for something else than text is
/// quoted, and no line is folded.
pub(super) fn text(value: &impl Serialize) -> Result<String, SerializeError> {
    to_string_with_options(value, ser_options! { folded_wrap_chars: usize::MAX })
}

/// The map of names to texts in `bytes`. A number or the like is the text that stands there, and no name may come twice.
///
/// # Errors
/// What is wrong with it, and in which line.
pub(super) fn variables(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let options = options! {
        null_as_string: true,
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
    };
    let map: Option<_> = from_slice_with_options(bytes, options)
        .map_err(|error| error.render_with_formatter(&UserMessageFormatter))?;
    map.ok_or_else(|| "there is nothing in it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_a_map_of_names_to_texts() {
        let text = "# ours\nA: one\nB: \"2\"\nC: a,b=c\nD: yes\nE: |\n  two\n  lines\nF: ${HOME}\nG: 1.50\nH: true\nI:\nJ: ~\n";
        let variables = variables(text.as_bytes()).unwrap();
        let expected = [
            ("A", "one"),
            ("B", "2"),
            ("C", "a,b=c"),
            ("D", "yes"),
            ("E", "two\nlines\n"),
            ("F", "${HOME}"),
            ("G", "1.50"),
            ("H", "true"),
            ("I", ""),
            ("J", "~"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, BTreeMap::from(expected));
    }

    #[test]
    fn what_is_no_such_map_is_refused_with_its_line() {
        for (text, reason) in [
            (
                "A: a\nA: b\n",
                "duplicate mapping key `A` is not allowed here at line 2",
            ),
            ("- A\n", "expected mapping start at line 1"),
            ("A: {B: c}\n", "expected string scalar at line 1"),
            ("A: a\n---\nB: b\n", "at line 3"),
            ("<<: {A: b}\n", "merge key not allowed here at line 1"),
            ("{\"A\": ", "at line 1"),
            ("", "there is nothing in it"),
            ("# A: a\n", "there is nothing in it"),
        ] {
            let refused = variables(text.as_bytes()).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
            assert_eq!(refused.lines().count(), 1, "{refused}");
        }
    }

    #[test]
    fn what_readers_would_take_for_something_else_is_quoted() {
        for (given, expected) in [
            ("Hello World!", "Hello World!\n"),
            ("yes", "\"yes\"\n"),
            ("5", "\"5\"\n"),
            ("a: b", "\"a: b\"\n"),
            ("", "\"\"\n"),
        ] {
            assert_eq!(text(&given).unwrap(), expected);
        }
        let long = "word ".repeat(60) + "end";
        assert_eq!(text(&long).unwrap(), format!("{long}\n"));
    }
}
