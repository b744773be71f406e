//! Text that is not trusted, made harmless for a terminal.

use std::borrow::Cow;

/// `text` with every character escaped that [`push`] escapes.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if is_printable_ascii(text) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    push(text, &mut out);
    // What is pushed is UTF-8.
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// Appends `text` with every character escaped that a terminal would act on or hide: controls, and the Unicode
/// characters that change the order of what is read.
pub(crate) fn push(text: &str, out: &mut Vec<u8>) {
    // Almost every line is plain ASCII and goes through as it is.
    if is_printable_ascii(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        match c {
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\n' => out.extend_from_slice(b"\\n"),
            c if c.is_ascii_control() => {
                out.extend_from_slice(format!("\\x{:02x}", c as u32).as_bytes());
            }
            c if is_harmful(c) => {
                out.extend_from_slice(format!("\\u{{{:x}}}", c as u32).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// `text`, which may have several lines, with every character escaped that [`push`] escapes but for line feeds and tabs.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful_in_lines) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\t']) {
        let rest = line.strip_suffix(['\n', '\t']).unwrap_or(line);
        push(rest, &mut out);
        out.extend_from_slice(&line.as_bytes()[rest.len()..]);
    }
    // What is pushed is UTF-8.
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// JSON `text` with every character escaped in it that a terminal would act on or hide. They stand within its strings
/// alone, where each has an escape; all of them are in the Basic Multilingual Plane.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful_in_lines) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmful_in_lines(c) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether [`lines`] escapes it.
pub(crate) fn is_harmful_in_lines(c: char) -> bool {
    !matches!(c, '\n' | '\t') && is_harmful(c)
}

/// Whether `text` can go anywhere as it is.
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Controls (C0, DEL, C1), the marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9),
/// line and paragraph separators, and the byte order mark. Joiners are not among them: Persian and emoji need them.
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(text: &str) -> String {
        let mut out = Vec::new();
        push(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(safe("\x1b[2Jgone\x07"), "\\x1b[2Jgone\\x07");
        assert_eq!(safe("a\u{9b}31m"), "a\\u{9b}31m");
        assert_eq!(safe("a\rb\nc\td\x7f\0"), "a\\rb\\nc\\td\\x7f\\x00");
    }

    #[test]
    fn text_that_would_be_read_in_another_order_is_shown_as_it_is() {
        assert_eq!(safe("abc\u{202e}fed"), "abc\\u{202e}fed");
    }

    #[test]
    fn no_harmful_character_goes_through() {
        let controls = ('\0'..' ').chain('\x7f'..='\u{9f}');
        let format = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let others = "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{feff}".chars();
        for c in controls.chain(format).chain(others) {
            let shown = safe(&format!("ä{c}"));
            assert!(shown.starts_with("ä\\"), "{c:?} was shown as {shown:?}");
            assert!(!shown.contains(c));
        }
    }

    #[test]
    fn of_several_lines_only_line_feeds_and_tabs_go_through() {
        assert_eq!(lines("a\nb\x1b[2J\r\n"), "a\nb\\x1b[2J\\r\n");
        assert_eq!(lines("a\n\tb\n"), "a\n\tb\n");
        assert_eq!(lines("\ta\x1b\n"), "\ta\\x1b\n");
    }

    #[test]
    fn json_stays_json_and_says_the_same() {
        let value = serde_json::json!({"a\u{9b}": "b\u{202e}\x7f\n"});
        let text = format!("{value:#}\n");
        let shown = json(&text);
        assert!(!shown.contains(is_harmful_in_lines), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    #[test]
    fn other_scripts_are_left_alone() {
        for text in ["Grüße, 世界 🎉", "می\u{200c}خواهم", "👩\u{200d}🚀"] {
            assert_eq!(safe(text), text);
        }
    }

    #[test]
    fn a_long_hostile_line_is_escaped_to_its_end() {
        assert_eq!(safe(&"\x1b".repeat(100 * 1024)), "\\x1b".repeat(100 * 1024));
    }
}
