//! What was typed, as the commands take it: short forms in full, flags behind the command that they are for, and none of
//! gcloud's that mean nothing here.
//!
//! A command line that is right as it stands never comes here.

use std::ffi::OsString;

use clap::{Arg, Command};

use super::gcloud::{Flag, Meaning, find};
use super::short_forms::expand;

/// A command line, taken apart.
pub(super) struct Arguments<'a> {
    /// The command that is meant, as far as it is known.
    pub(super) command: &'a Command,
    /// Its name, word by word, without `host`.
    pub(super) path: Vec<String>,
    /// What follows it, flags that stood before it first.
    pub(super) rest: Vec<OsString>,
}

impl<'a> Arguments<'a> {
    /// Takes `words` apart, which stand behind the program's name.
    pub(super) fn read(words: impl IntoIterator<Item = OsString>, root: &'a Command) -> Self {
        let mut words: Vec<_> = words.into_iter().collect();
        words.reverse();
        let (mut command, mut path, mut flags) = (root, Vec::new(), Vec::new());
        while let Some(word) = words.pop() {
            let text = word.to_string_lossy().into_owned();
            let next = words.last().map(|word| word.to_string_lossy());
            if let Some(name) = flag_name(&text).filter(|_| command.has_subcommands()) {
                let is_whole = text.contains('=');
                flags.push(word);
                if !is_whole && takes_value(root, name) {
                    flags.extend(words.pop());
                }
            } else if text == "help" && path.is_empty() && next.is_some() {
                // Words are taken from the end, so this one comes last.
                words.insert(0, "--help".into());
            } else if let Some(found) = command.find_subcommand(&text) {
                path.push(found.get_name().to_owned());
                command = found;
            } else if let Some(long) = expand(&text, next.as_deref()).filter(|_| path.is_empty()) {
                words.extend(long.iter().rev().map(OsString::from));
            } else {
                words.push(word);
                break;
            }
        }
        words.reverse();
        flags.append(&mut words);
        Self {
            command,
            path,
            rest: flags,
        }
    }

    /// Without the flags that gcloud has and that say nothing here.
    ///
    /// # Errors
    /// Why a flag is refused.
    pub(super) fn without_gcloud_flags(mut self) -> Result<Self, String> {
        let mut kept = Vec::new();
        let mut words = std::mem::take(&mut self.rest).into_iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy().into_owned();
            if text == "--" {
                kept.push(word);
                kept.extend(words);
                break;
            }
            let Some(flag) = self.gcloud_flag(&text) else {
                kept.push(word);
                continue;
            };
            let mut value = text.split_once('=').map(|(_, value)| value.to_owned());
            if flag.takes_value && value.is_none() && !matches!(flag.meaning, Meaning::Refused(_)) {
                let next = words.next().map(|next| next.to_string_lossy().into_owned());
                value = next.filter(|next| !next.starts_with("--"));
                if value.is_none() {
                    return Err(format!(
                        "a value is required for '{}' but none was supplied",
                        flag.name
                    ));
                }
            }
            let is_refused = matches!(flag.meaning, Meaning::Refused(_));
            if !flag.takes_value && value.is_some() && !is_refused {
                return Err(format!("{} takes no value", flag.name));
            }
            match flag.meaning {
                Meaning::Nothing => {}
                Meaning::Same(name) => {
                    kept.push(name.into());
                    kept.extend(value.map(OsString::from));
                }
                Meaning::NothingIf(values, _)
                    if value
                        .as_deref()
                        .is_some_and(|value| values.contains(&value)) => {}
                Meaning::Refused(why) | Meaning::NothingIf(_, why) => {
                    return Err(format!("{} is not for this host: {why}", flag.name));
                }
            }
        }
        self.rest = kept;
        Ok(self)
    }

    /// All words, behind the name of the program.
    pub(super) fn words(&self) -> impl Iterator<Item = OsString> {
        let path = self.path.iter().map(OsString::from);
        std::iter::once(OsString::from("host"))
            .chain(path)
            .chain(self.rest.iter().cloned())
    }

    /// The flag of gcloud that `word` is, if the command has none of that name itself.
    fn gcloud_flag(&self, word: &str) -> Option<Flag> {
        let name = flag_name(word)?;
        let is_own = self.command.get_arguments().any(|arg| goes_by(arg, name));
        find(name, &self.path).filter(|_| !is_own)
    }
}

/// `--flag` of `--flag` and of `--flag=value`.
fn flag_name(word: &str) -> Option<&str> {
    let is_flag = word.len() > 1 && word.starts_with('-') && word != "--";
    is_flag.then(|| word.split('=').next().unwrap_or(word))
}

/// Whether a flag of this name takes a value: one of gcloud's, or one that a command has.
fn takes_value(command: &Command, name: &str) -> bool {
    let of_gcloud = find(name, &["functions".to_owned()]);
    if let Some(flag) = of_gcloud {
        return flag.takes_value;
    }
    let is_it = |arg: &Arg| goes_by(arg, name) && arg.get_action().takes_values();
    command.get_arguments().any(is_it)
        || command
            .get_subcommands()
            .any(|command| takes_value(command, name))
}

/// Whether `arg` is the flag called `name`.
pub(super) fn goes_by(arg: &Arg, name: &str) -> bool {
    match name.strip_prefix("--") {
        Some(long) => {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(long) || aliases.contains(&long)
        }
        None => {
            let mut letters = name.trim_start_matches('-').chars();
            arg.get_short().is_some() && arg.get_short() == letters.next()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn read(line: &str) -> Result<String, String> {
        let root = command();
        let words = line.split(' ').map(OsString::from);
        let read = Arguments::read(words, &root).without_gcloud_flags()?;
        let words: Vec<_> = read.words().collect();
        Ok(words.join(" ".as_ref()).into_string().unwrap())
    }

    #[test]
    fn a_short_form_is_written_in_full() {
        for (short, long) in [
            ("ps -o json", "host functions list -o json"),
            ("logs hello -f", "host functions logs read hello -f"),
            ("logs read hello", "host logging read hello"),
            (
                "deploy f --source f.wasm",
                "host functions deploy f --source f.wasm",
            ),
            ("jobs", "host scheduler jobs list"),
            ("jobs run j", "host scheduler jobs run j"),
            (
                "--project p jobs run j",
                "host scheduler jobs run --project p j",
            ),
            ("help logs", "host functions logs read --help"),
        ] {
            assert_eq!(read(short).as_deref(), Ok(long), "{short}");
        }
    }

    #[test]
    fn flags_before_a_command_are_for_it() {
        for (before, behind) in [
            (
                "--quiet functions delete f",
                "host functions delete --quiet f",
            ),
            (
                "--format json functions list",
                "host functions list --format json",
            ),
            (
                "functions --state-dir=s list",
                "host functions list --state-dir=s",
            ),
            (
                "scheduler -n 2 jobs --sort-by name list",
                "host scheduler jobs list -n 2 --sort-by name",
            ),
            (
                "--endpoint e --project p scheduler --region=r jobs list",
                "host scheduler jobs list --endpoint e --project p --region=r",
            ),
            ("--project p --region=r auth doctor i", "host auth doctor i"),
        ] {
            assert_eq!(read(before).as_deref(), Ok(behind), "{before}");
        }
    }

    #[test]
    fn what_stands_behind_two_dashes_is_no_flag() {
        let line = "functions describe -- --project";
        assert_eq!(read(line), Ok(format!("host {line}")));
    }

    #[test]
    fn a_flag_with_nothing_behind_it_lacks_its_value() {
        for line in ["auth doctor --project", "scheduler next --region --count 3"] {
            assert!(
                read(line).unwrap_err().contains("a value is required"),
                "{line}"
            );
        }
    }

    #[test]
    fn a_switch_takes_no_value() {
        for (flag, name) in [
            ("--user-output-enabled=false", "--user-output-enabled"),
            ("--gen2=false", "--gen2"),
            ("--quiet=no", "--quiet"),
            ("--quiet=", "--quiet"),
            ("-q=no", "-q"),
        ] {
            let refused: Result<String, String> = Err(format!("{name} takes no value"));
            for line in [
                format!("functions list {flag}"),
                format!("{flag} functions list"),
            ] {
                assert_eq!(read(&line), refused, "{line}");
            }
        }
        let refused = read("functions list --log-http=true").unwrap_err();
        assert!(refused.contains("is not for this host"), "{refused}");
    }

    #[test]
    fn gcloud_flags_are_for_the_commands_that_gcloud_has() {
        assert_eq!(
            read("serve --region r").as_deref(),
            Ok("host serve --region r")
        );
        assert_eq!(
            read("functions list --runtime r").as_deref(),
            Ok("host functions list --runtime r")
        );
    }
}
