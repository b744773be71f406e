//! `host complete`, which the scripts of `host completion` call: what can come next on a command line.

mod line;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, Args, Command};

use super::arguments::{Arguments, goes_by};
use super::completion::Shell;
use super::format::print;
use super::short_forms::SHORT_FORMS;
use super::{Message, command};
use values::values;

/// Print what can come next on a command line
#[derive(Args)]
pub(super) struct Complete {
    /// Whose form it is printed in
    shell: Shell,

    /// The words behind the program's name, the last one as far as it is typed; for bash, the whole line
    #[arg(last = true)]
    words: Vec<OsString>,
}

/// A word that can come next, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    word: String,
    help: String,
}

impl Complete {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let words = self
            .words
            .iter()
            .map(|word| word.to_string_lossy().into_owned());
        let mut words: Vec<_> = match self.shell {
            Shell::Bash => line::words(&words.collect::<String>())
                .into_iter()
                .skip(1)
                .collect(),
            _ => words.collect(),
        };
        let current = words.pop().unwrap_or_default();
        let found = candidates(words, &current);
        let lines = found
            .iter()
            .map(|candidate| self.shell.line(candidate, &current));
        print(&lines.collect::<String>())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Shell {
    /// A candidate as the shell's script reads it.
    fn line(self, candidate: &Candidate, current: &str) -> String {
        let Candidate { word, help } = candidate;
        match self {
            // bash takes `=` and `:` for ends of words, and completes what stands behind them.
            Self::Bash => {
                let start = current.rfind(['=', ':']).map_or(0, |at| at + 1);
                format!("{}\n", &word[start..])
            }
            Self::Zsh => format!(
                "{}:{help}\n",
                word.replace('\\', "\\\\").replace(':', "\\:")
            ),
            Self::Fish => format!("{word}\t{help}\n"),
        }
    }
}

/// What can take the place of `current`, which stands behind `words`.
fn candidates(words: Vec<String>, current: &str) -> Vec<Candidate> {
    let root = command();
    let state = line::state_directory(&words);
    // A flag may come next, so a word that stands for several commands stays open.
    let open = words
        .iter()
        .map(OsString::from)
        .chain([OsString::from("--help")]);
    let mut arguments = Arguments::read(open, &root);
    arguments.rest.pop();
    let Ok(arguments) = arguments.without_gcloud_flags() else {
        return Vec::new();
    };
    let command = arguments.command;
    let rest: Vec<_> = arguments
        .rest
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let of = |arg: &Arg, typed: &str| {
        let found = values(arg, &arguments.path, state.as_deref());
        let found = found.into_iter().map(|word| (word, String::new()));
        matching(found, typed)
    };
    if let Some(arg) = rest.last().and_then(|word| valued(command, word)) {
        return of(arg, current);
    }
    if let Some((name, typed)) = current
        .split_once('=')
        .filter(|(name, _)| name.starts_with("--"))
    {
        let found = valued(command, name)
            .map(|arg| of(arg, typed))
            .unwrap_or_default();
        return found
            .into_iter()
            .map(|found| found.behind(&format!("{name}=")))
            .collect();
    }
    if current.starts_with('-') {
        return matching(flags(command), current);
    }
    if command.has_subcommands() {
        return matching(commands(command), current);
    }
    let typed = positionals(command, &rest);
    let arg = command.get_positionals().nth(typed);
    arg.map(|arg| of(arg, current)).unwrap_or_default()
}

impl Candidate {
    fn behind(mut self, start: &str) -> Self {
        self.word.insert_str(0, start);
        self
    }
}

fn matching(words: impl IntoIterator<Item = (String, String)>, typed: &str) -> Vec<Candidate> {
    let words = words
        .into_iter()
        .filter(|(word, _)| word.starts_with(typed));
    let mut found: Vec<_> = words.map(|(word, help)| Candidate { word, help }).collect();
    found.sort();
    found.dedup();
    found
}

/// The flag of `command` called `name`, if its value comes next.
fn valued<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut flags = command.get_arguments().filter(|arg| !arg.is_positional());
    flags.find(|arg| goes_by(arg, name) && name.starts_with('-') && arg.get_action().takes_values())
}

fn flags(command: &Command) -> Vec<(String, String)> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let flags =
        shown.filter_map(|arg| Some((format!("--{}", arg.get_long()?), help(arg.get_help()))));
    flags
        .chain([("--help".to_owned(), "Print help".to_owned())])
        .collect()
}

fn commands(command: &Command) -> Vec<(String, String)> {
    let shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let names = shown.map(|command| (command.get_name().to_owned(), help(command.get_about())));
    let short = SHORT_FORMS.iter().filter(|_| command.get_name() == "host");
    let short = short.map(|(short, long)| ((*short).to_owned(), long.join(" ")));
    names.chain(short).collect()
}

/// How many words of `rest` are neither flags nor their values.
fn positionals(command: &Command, rest: &[impl AsRef<str>]) -> usize {
    let mut is_value = false;
    let mut count = 0;
    for word in rest {
        let word = word.as_ref();
        if !is_value && !word.starts_with('-') {
            count += 1;
        }
        is_value = !is_value && !word.contains('=') && valued(command, word).is_some();
    }
    count
}

/// The first line of a help.
fn help(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let mut words = line::words(line);
        let current = words.pop().unwrap();
        let found = candidates(words.split_off(1), &current);
        found.into_iter().map(|candidate| candidate.word).collect()
    }

    #[test]
    fn commands_flags_and_values_that_are_known_complete() {
        assert_eq!(words("host sch"), ["scheduler"]);
        assert_eq!(words("host functions de"), ["delete", "deploy", "describe"]);
        assert_eq!(words("host lo"), ["logging", "logs"]);
        assert_eq!(words("host functions deploy f --trig"), ["--trigger-http"]);
        assert_eq!(words("host logs --min-log-level w"), ["warning"]);
        assert_eq!(words("host logs --severity=wa"), ["--severity=warning"]);
        assert_eq!(
            words("host jobs create http j --time-zone Australia/Syd"),
            ["Australia/Sydney"]
        );
        assert_eq!(words("host completion b"), ["bash"]);
        assert_eq!(words("host functions list -o y"), ["yaml"]);
        assert_eq!(words("host --project p functions li"), ["list"]);
        assert!(!words("host ").contains(&"complete".to_owned()));
        assert_eq!(words("host functions deploy f --source ./x"), [""; 0]);
    }

    #[test]
    fn each_shell_has_its_form() {
        let candidate = Candidate {
            word: "serviceAccount:a@b".into(),
            help: "help".into(),
        };
        let current = "serviceAccount:a";
        assert_eq!(Shell::Bash.line(&candidate, current), "a@b\n");
        assert_eq!(
            Shell::Zsh.line(&candidate, current),
            "serviceAccount\\:a@b:help\n"
        );
        assert_eq!(
            Shell::Fish.line(&candidate, current),
            "serviceAccount:a@b\thelp\n"
        );
    }
}
