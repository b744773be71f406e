//! Words as a shell reads them.

/// `arguments` as one would type them. What no shell can be given, a NUL, is left out.
pub(super) fn typed(arguments: &[&str]) -> String {
    let words = arguments.iter().map(|word| word.replace('\0', ""));
    let words: Vec<_> = words.collect();
    // Only a NUL is refused.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        for arguments in [
            &["call", "f", "--data", r#"{"a": "it's"}"#, ""][..],
            &["deploy", "f", "--set-env-vars=A=$HOME `x` !y"],
            &["with\nline", "~", "*", "serviceAccount:a@b.example"],
        ] {
            let typed = typed(arguments);
            assert_eq!(shlex::split(&typed).unwrap(), arguments, "{typed}");
        }
        assert_eq!(
            typed(&["call", "f", "--member=user:a@b"]),
            "call f --member=user:a@b"
        );
    }
}
