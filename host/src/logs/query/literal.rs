//! Text that every match of a regular expression contains.

use regex_syntax::hir::{Hir, HirKind};

/// The longest text that every match of `regex` contains, as far as it can be found easily.
pub(super) fn required(regex: &str) -> Option<String> {
    longest(&regex_syntax::parse(regex).ok()?)
}

fn longest(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        HirKind::Capture(capture) => longest(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => longest(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(longest).max_by_key(String::len),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_in_every_match_is_found() {
        for (regex, expected) in [
            ("timeout", Some("timeout")),
            ("^order [0-9]+ refused by (bank)$", Some(" refused by ")),
            ("(abc)+d?", Some("abc")),
            ("a|b", None),
            ("(?i)error", None),
            ("(error)?", None),
            ("[0-9]+", None),
            ("", None),
            ("(", None),
        ] {
            assert_eq!(required(regex).as_deref(), expected, "{regex}");
        }
    }
}
