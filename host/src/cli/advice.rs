//! What a person is told whose command line was not understood: the tip that helps, and none that leads astray.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Words that people type where no such command is: the command they stand behind, the words (`*` is any), and what to do.
/// `{}` stands for the word.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "",
        "run",
        "`host serve` serves functions, `host call NAME` calls one",
    ),
    ("", "start up", "`host serve` serves functions"),
    (
        "",
        "list ls",
        "`host ps` lists functions, `host jobs` lists jobs",
    ),
    (
        "",
        "delete rm",
        "`host functions delete NAME` deletes a function",
    ),
    (
        "",
        "describe",
        "`host functions describe NAME` shows a function",
    ),
    (
        "",
        "inspect",
        "`host check FILE` says what a component needs, `host functions describe NAME` shows a function",
    ),
    ("", "tail", "`host logs --follow` shows the log as it grows"),
    (
        "",
        "init",
        "`host new PATH` writes a project, `host serve` needs no set-up",
    ),
    (
        "",
        "build",
        "nothing is built here: `host new` writes a project whose tools build it",
    ),
    ("", "version", "`host --version` shows it"),
    (
        "auth",
        "login application-default",
        "a command acts as the owner of the state directory; nobody logs in",
    ),
    (
        "config",
        "set get list",
        "a host has one project and one location: `host serve --project P --location L` names them",
    ),
    (
        "iam service-accounts",
        "keys",
        "`host iam keys` has the keys that tokens are signed with; accounts have none",
    ),
    (
        "iam",
        "roles",
        "there is one role, roles/cloudfunctions.invoker",
    ),
    (
        "functions",
        "add-invoker-policy-binding",
        "`host functions add-iam-policy-binding NAME --member MEMBER --role roles/run.invoker` does that",
    ),
    (
        "functions",
        "remove-invoker-policy-binding",
        "`host functions remove-iam-policy-binding NAME --member MEMBER --role roles/run.invoker` does that",
    ),
    (
        "functions",
        "set-iam-policy",
        "change it a member at a time: add-iam-policy-binding, remove-iam-policy-binding",
    ),
    ("functions", "regions", "a host has one location"),
    (
        "functions",
        "runtimes",
        "a component brings its runtime along; `host new` writes a project that makes one",
    ),
    ("functions", "event-types", "functions are called over HTTP"),
    (
        "functions",
        "update",
        "`host functions deploy NAME` changes what is named and leaves the rest",
    ),
    (
        "functions",
        "create",
        "`host functions deploy NAME --source FILE` makes a function",
    ),
    (
        "functions",
        "invoke",
        "`host functions call NAME` calls a function",
    ),
    (
        "functions logs",
        "*",
        "`host functions logs read {}` reads its entries",
    ),
    (
        "scheduler jobs create",
        "pubsub app-engine",
        "jobs make HTTP requests: `host scheduler jobs create http NAME`",
    ),
    (
        "scheduler jobs create",
        "*",
        "`host scheduler jobs create http {}` makes a job of that name",
    ),
    (
        "scheduler jobs update",
        "pubsub app-engine",
        "jobs make HTTP requests: `host scheduler jobs update http NAME`",
    ),
    (
        "scheduler jobs update",
        "*",
        "`host scheduler jobs update http {}` changes that job",
    ),
    (
        "scheduler jobs runs",
        "*",
        "`host scheduler jobs runs list {}` lists the runs of a job",
    ),
    ("scheduler", "locations", "a host has one location"),
    (
        "scheduler",
        "list",
        "`host scheduler jobs list` lists the jobs",
    ),
    ("*", "ls", "`list` does that"),
    ("*", "rm remove", "`delete` does that"),
    ("*", "get show inspect", "`describe` does that"),
    ("*", "add", "`create` does that"),
    ("*", "edit", "`update` does that"),
    ("*", "trigger", "`run` does that"),
];

/// `error` of the command `path`, with the tips that it should have.
pub(super) fn advised(mut error: clap::Error, path: &[String]) -> clap::Error {
    let mut tips = match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips,
        _ => Vec::new(),
    };
    // What looks like a flag or a command is one that was mistyped, not a value.
    tips.retain(|tip| !tip.to_string().starts_with("to pass "));
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && let Some(tip) = tip(&path.join(" "), word)
    {
        error.remove(ContextKind::SuggestedSubcommand);
        tips = vec![StyledStr::from(tip)];
    }
    if !tips.is_empty() {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

fn tip(path: &str, word: &str) -> Option<String> {
    let is = |pattern: &str, text: &str| pattern == text || pattern == "*" && !text.is_empty();
    let shown: String = word.chars().filter(|c| !c.is_control()).take(80).collect();
    WORDS
        .iter()
        .find(|(command, typed, _)| {
            is(command, path) && typed.split(' ').any(|typed| is(typed, word))
        })
        .map(|(_, _, tip)| tip.replace("{}", &shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn said(line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let error = command().try_get_matches_from(&words).unwrap_err();
        let path: Vec<_> = words[1..words.len() - 1]
            .iter()
            .map(|word| word.to_string())
            .collect();
        advised(error, &path).to_string()
    }

    #[test]
    fn no_tip_says_to_pass_a_flag_as_a_value() {
        let error = said("host functions describe --nme");
        assert!(!error.contains("as a value"), "{error}");
        assert!(error.contains("'--nme'"), "{error}");
        let error = said("host functions deploy --sorce");
        assert!(error.contains("--source"), "{error}");
    }

    #[test]
    fn a_word_of_another_program_leads_to_the_command() {
        assert!(said("host ls").contains("host ps"));
        assert!(said("host functions rm").contains("`delete` does that"));
        assert!(said("host functions logs hello").contains("functions logs read hello"));
        assert!(said("host scheduler jobs create hourly").contains("create http hourly"));
        assert!(said("host functions delpoy").contains("deploy"));
    }
}
