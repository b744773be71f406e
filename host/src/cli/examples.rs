//! An example for each command, at the end of its help.

use clap::Command;

use super::short_forms;

/// Commands, without `host`, and what one types.
const EXAMPLES: &[(&str, &str)] = &[
    ("", "host quickstart hello.wasm"),
    ("serve", "host serve hello.wasm --watch"),
    (
        "functions",
        "host functions deploy hello_world --source hello.wasm --allow-unauthenticated",
    ),
    (
        "functions deploy",
        "host functions deploy hello_world --source hello.wasm --memory 64Mi --timeout 5s",
    ),
    ("functions list", "host functions list --format json"),
    ("functions describe", "host functions describe hello_world"),
    (
        "functions delete",
        "host functions delete hello_world --quiet",
    ),
    (
        "functions call",
        r#"host functions call hello_world --data '{"name": "Ada"}'"#,
    ),
    (
        "functions add-iam-policy-binding",
        "host functions add-iam-policy-binding hello_world --member serviceAccount:caller@host.internal --role roles/cloudfunctions.invoker",
    ),
    (
        "functions remove-iam-policy-binding",
        "host functions remove-iam-policy-binding hello_world --member allUsers --role roles/cloudfunctions.invoker",
    ),
    (
        "functions get-iam-policy",
        "host functions get-iam-policy hello_world",
    ),
    (
        "functions logs",
        "host functions logs read hello_world --follow",
    ),
    (
        "functions logs read",
        "host functions logs read hello_world --min-log-level warning --start-time -2h",
    ),
    ("logging", "host logging read 'severity>=ERROR' --limit 5"),
    ("logging read", "host logging read --audit --since 1h"),
    (
        "scheduler",
        r#"host scheduler next "0 9 * * 1-5" --time-zone Australia/Sydney"#,
    ),
    (
        "scheduler next",
        r#"host scheduler next "every 5 minutes" --count 3"#,
    ),
    ("scheduler jobs", "host scheduler jobs list"),
    (
        "scheduler jobs create",
        r#"host scheduler jobs create http hourly --schedule "0 * * * *" --uri http://127.0.0.1:8080/hello_world"#,
    ),
    (
        "scheduler jobs create http",
        r#"host scheduler jobs create http hourly --schedule "0 * * * *" --uri http://127.0.0.1:8080/hello_world --oidc-service-account-email caller@host.internal"#,
    ),
    (
        "scheduler jobs update",
        r#"host scheduler jobs update http hourly --schedule "30 * * * *""#,
    ),
    (
        "scheduler jobs update http",
        "host scheduler jobs update http hourly --max-retry-attempts 3 --clear-message-body",
    ),
    (
        "scheduler jobs list",
        "host scheduler jobs list --format yaml",
    ),
    (
        "scheduler jobs describe",
        "host scheduler jobs describe hourly",
    ),
    ("scheduler jobs pause", "host scheduler jobs pause hourly"),
    ("scheduler jobs resume", "host scheduler jobs resume hourly"),
    ("scheduler jobs run", "host scheduler jobs run hourly"),
    (
        "scheduler jobs delete",
        "host scheduler jobs delete hourly --quiet",
    ),
    (
        "scheduler jobs runs",
        "host scheduler jobs runs list hourly",
    ),
    (
        "scheduler jobs runs list",
        "host scheduler jobs runs list hourly --limit 5",
    ),
    (
        "scheduler jobs runs describe",
        "host scheduler jobs runs describe hourly 2026-11-23T14:00:00Z",
    ),
    ("iam", "host iam service-accounts create caller"),
    ("iam service-accounts", "host iam service-accounts list"),
    (
        "iam service-accounts create",
        r#"host iam service-accounts create caller --display-name "Calls hello_world""#,
    ),
    (
        "iam service-accounts list",
        "host iam service-accounts list --format json",
    ),
    (
        "iam service-accounts describe",
        "host iam service-accounts describe caller@host.internal",
    ),
    (
        "iam service-accounts delete",
        "host iam service-accounts delete caller@host.internal --quiet",
    ),
    ("iam keys", "host iam keys list"),
    ("iam keys list", "host iam keys list --format json"),
    ("iam keys rotate", "host iam keys rotate"),
    (
        "auth",
        "host auth print-identity-token --impersonate-service-account caller@host.internal --audiences http://127.0.0.1:8080/hello_world",
    ),
    (
        "auth print-identity-token",
        "host auth print-identity-token --impersonate-service-account caller@host.internal --audiences http://127.0.0.1:8080/hello_world --include-email",
    ),
    (
        "iam service-accounts update",
        r#"host iam service-accounts update caller@host.internal --display-name "Calls hello""#,
    ),
    (
        "iam service-accounts disable",
        "host iam service-accounts disable caller@host.internal",
    ),
    (
        "iam service-accounts enable",
        "host iam service-accounts enable caller@host.internal",
    ),
    (
        "iam service-accounts get-iam-policy",
        "host iam service-accounts get-iam-policy caller@host.internal",
    ),
    (
        "iam service-accounts add-iam-policy-binding",
        "host iam service-accounts add-iam-policy-binding caller@host.internal --member user:ada@example.com --role roles/iam.serviceAccountTokenCreator",
    ),
    (
        "iam service-accounts remove-iam-policy-binding",
        "host iam service-accounts remove-iam-policy-binding caller@host.internal --member user:ada@example.com --role roles/iam.serviceAccountTokenCreator",
    ),
    (
        "services",
        "host services enable cloudfunctions.googleapis.com",
    ),
    (
        "services enable",
        "host services enable cloudscheduler.googleapis.com",
    ),
    ("projects", "host projects describe"),
    ("projects describe", "host projects describe my-project"),
    ("projects get-iam-policy", "host projects get-iam-policy"),
    (
        "projects add-iam-policy-binding",
        "host projects add-iam-policy-binding my-project --member user:ada@example.com --role roles/viewer",
    ),
    (
        "projects remove-iam-policy-binding",
        "host projects remove-iam-policy-binding my-project --member user:ada@example.com --role roles/viewer",
    ),
    (
        "auth print-access-token",
        "host auth print-access-token --impersonate-service-account deployer@host.internal --lifetime 10m",
    ),
    ("auth gcloud-env", "host auth gcloud-env"),
    (
        "auth explain",
        r#"host auth explain "$TOKEN" --function hello_world"#,
    ),
    (
        "auth doctor",
        "host auth doctor https://accounts.google.com",
    ),
    (
        "auth revoke",
        "host auth revoke --token-id 8f14e45fceea167a",
    ),
    ("config", "host config check host.toml"),
    ("config check", "host config check host.toml"),
    ("config schema", "host config schema > host.schema.json"),
    ("check", "host check hello.wasm"),
    ("keyvalue", "host keyvalue list hello_world"),
    ("keyvalue get", "host keyvalue get hello_world visits"),
    ("keyvalue set", "host keyvalue set hello_world visits 0"),
    (
        "keyvalue list",
        "host keyvalue list --bucket sessions --format json",
    ),
    (
        "keyvalue delete",
        "host keyvalue delete hello_world visits --quiet",
    ),
    ("state", "host state backup before-upgrade.db"),
    ("state backup", "host state backup before-upgrade.db"),
    (
        "state restore",
        "host state restore before-upgrade.db --state-dir restored",
    ),
    ("new", "host new my-function --template python"),
    ("quickstart", "host quickstart hello.wasm"),
    (
        "completion",
        "host completion bash > ~/.local/share/bash-completion/completions/host",
    ),
    ("man", "host man | man -l -"),
];

/// `command`, its parts and their parts, each with its example.
pub(super) fn add(mut command: Command) -> Command {
    for (path, example) in EXAMPLES {
        command = below(command, path.split_whitespace(), example);
    }
    let example = command.get_after_help().map(ToString::to_string);
    command.after_help(format!(
        "{}\n\n{}",
        example.unwrap_or_default(),
        short_forms::help()
    ))
}

fn below<'a>(command: Command, mut path: impl Iterator<Item = &'a str>, example: &str) -> Command {
    match path.next() {
        None => command.after_help(format!("Example:\n  {}", broken(example))),
        Some(name) => command.mut_subcommand(name, |part| below(part, path, example)),
    }
}

/// The most that a line of an example has, in characters, so that a terminal need not break it elsewhere.
const LONGEST_LINE: usize = 74;

/// `example` in lines that a shell reads as one.
fn broken(example: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for part in example.split(" --") {
        let part = match text.is_empty() {
            true => part.to_owned(),
            false => format!("--{part}"),
        };
        if length > 0 {
            let fits = length + part.len() < LONGEST_LINE;
            text.push_str(if fits { " " } else { " \\\n      " });
            length = if fits { length + 1 } else { 4 };
        }
        length += part.len();
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn without_example(command: &Command, path: &str, missing: &mut Vec<String>) {
        if command.get_after_help().is_none() {
            missing.push(path.to_owned());
        }
        for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
            without_example(part, &format!("{path} {}", part.get_name()), missing);
        }
    }

    /// The words of a command, up to where a shell would take over.
    fn words(example: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in example.chars() {
            match (quote, c) {
                (None, '|' | '>') => break,
                (None, ' ') => words.push(String::new()),
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn a_long_example_is_broken_where_a_shell_reads_on() {
        assert_eq!(broken("host new f --path g"), "host new f --path g");
        let long = format!("host a --b {} --c d", "e".repeat(60));
        let lines = format!("host a --b {} \\\n      --c d", "e".repeat(60));
        assert_eq!(broken(&long), lines);
        for (path, example) in EXAMPLES {
            let text = broken(example);
            assert_eq!(text.replace(" \\\n      ", " "), *example, "{path}");
            let longest = text.lines().map(str::len).max();
            assert!(longest.is_some_and(|length| length <= 78), "{text}");
        }
    }

    #[test]
    fn every_command_has_an_example() {
        let mut missing = Vec::new();
        without_example(&command(), "host", &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn every_example_is_one_of_its_command_and_can_be_typed() {
        for (path, example) in EXAMPLES {
            let is_its = path.split(' ').all(|word| example.contains(word));
            assert!(is_its, "{path}: {example}");
            if let Err(error) = command().try_get_matches_from(words(example)) {
                panic!("{example}: {error}");
            }
        }
    }
}
