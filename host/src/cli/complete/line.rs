//! A command line that is being typed.

use std::path::PathBuf;

/// The words of `line` as a shell divides them, the last one as far as it is typed.
pub(super) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut quote, mut is_escaped) = (None, false);
    for c in line.chars() {
        match (quote, c) {
            _ if is_escaped => {
                is_escaped = false;
                word.push(c);
            }
            (None | Some('"'), '\\') => is_escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ' | '\t') if word.is_empty() => {}
            (None, ' ' | '\t') => words.push(std::mem::take(&mut word)),
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words
}

/// The state directory that a flag among `words` names.
pub(super) fn state_directory(words: &[String]) -> Option<PathBuf> {
    let at = words
        .iter()
        .rposition(|word| word.starts_with("--state-dir"))?;
    match words[at].strip_prefix("--state-dir=") {
        Some(directory) => Some(directory.into()),
        None => words.get(at + 1).map(PathBuf::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_divided_as_a_shell_does_it() {
        assert_eq!(words("host  functions de"), ["host", "functions", "de"]);
        assert_eq!(words("host functions "), ["host", "functions", ""]);
        assert_eq!(
            words(r#"host call f --data '{"a": 1}' x\ y"#),
            ["host", "call", "f", "--data", r#"{"a": 1}"#, "x y"]
        );
    }

    #[test]
    fn the_state_directory_is_the_one_that_was_named() {
        let of = |line: &str| state_directory(&words(line));
        assert_eq!(of("host ps --state-dir s "), Some("s".into()));
        assert_eq!(of("host ps --state-dir=s "), Some("s".into()));
        assert_eq!(of("host ps "), None);
    }
}
