//! Words as a shell reads them.

/// `arguments` as one would type them.
pub(super) fn typed(arguments: &[&str]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=,+".contains(&byte);
    let shown = arguments.iter().map(|argument| {
        match !argument.is_empty() && argument.bytes().all(is_plain) {
            true => (*argument).to_owned(),
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_reads_it() {
        assert_eq!(
            typed(&["call", "f", "--data", r#"{"a": "it's"}"#, ""]),
            r#"call f --data '{"a": "it'\''s"}' ''"#
        );
    }
}
