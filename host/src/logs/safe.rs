//! Text that is not trusted, made harmless for a terminal.

/// Appends `text` with every character escaped that a terminal would act on or hide: controls, and the Unicode
/// characters that change the direction or the order of what is read.
pub(super) fn push(text: &str, out: &mut Vec<u8>) {
    // Almost every line is plain ASCII and goes through as it is.
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut buffer = [0; 4];
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
            c => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
}

/// Controls beyond ASCII, and the format characters of Unicode's bidirectional algorithm (UAX 9), line and paragraph
/// separators, and the byte order mark.
pub(super) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
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
        assert_eq!(safe("a\rb\nc\td\x7f"), "a\\rb\\nc\\td\\x7f");
    }

    #[test]
    fn text_that_would_be_read_in_another_order_is_shown_as_it_is() {
        assert_eq!(safe("abc\u{202e}fed"), "abc\\u{202e}fed");
    }

    #[test]
    fn other_scripts_are_left_alone() {
        assert_eq!(safe("Grüße, 世界 🎉"), "Grüße, 世界 🎉");
    }
}
