//! Short forms of the commands that are typed most.

/// Each short form, and the command that it is one of.
pub(super) const SHORT_FORMS: [(&str, &[&str]); 5] = [
    ("deploy", &["functions", "deploy"]),
    ("call", &["functions", "call"]),
    ("ps", &["functions", "list"]),
    ("logs", &["functions", "logs", "read"]),
    ("jobs", &["scheduler", "jobs"]),
];

/// The command that `word` is short for where `next` follows.
pub(super) fn expand(word: &str, next: Option<&str>) -> Option<&'static [&'static str]> {
    let (_, long) = SHORT_FORMS.iter().find(|(short, _)| *short == word)?;
    match (word, next) {
        // With its verb, it is of all logs.
        ("logs", Some("read")) => Some(&["logging"]),
        // Without a verb, the jobs are listed, as `ps` lists the functions.
        ("jobs", None) => Some(&["scheduler", "jobs", "list"]),
        ("jobs", Some(flag)) if flag.starts_with('-') && !matches!(flag, "-h" | "--help") => {
            Some(&["scheduler", "jobs", "list"])
        }
        _ => Some(long),
    }
}

/// What the help of `host` says of them.
pub(super) fn help() -> String {
    let lines = SHORT_FORMS
        .iter()
        .map(|(short, long)| format!("  host {short:7} {}", long.join(" ")));
    let lines = lines.chain(["  host logs read  logging read".to_owned()]);
    format!("Short forms:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_form_stands_for_a_command() {
        assert_eq!(expand("ps", None), Some(&["functions", "list"][..]));
        assert_eq!(
            expand("logs", Some("hello")),
            Some(&["functions", "logs", "read"][..])
        );
        assert_eq!(expand("logs", Some("read")), Some(&["logging"][..]));
        assert_eq!(
            expand("jobs", None),
            Some(&["scheduler", "jobs", "list"][..])
        );
        assert_eq!(
            expand("jobs", Some("--limit=1")),
            Some(&["scheduler", "jobs", "list"][..])
        );
        assert_eq!(
            expand("jobs", Some("run")),
            Some(&["scheduler", "jobs"][..])
        );
        assert_eq!(
            expand("jobs", Some("--help")),
            Some(&["scheduler", "jobs"][..])
        );
        assert_eq!(expand("functions", None), None);
    }
}
