//! `host new`

mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::Message;
use super::shell_words::typed;
use crate::stderr;
use template::Template;

/// The longest name, as a Kubernetes Service takes it.
const LONGEST_NAME: usize = 63;

/// Libraries that the tests of a Rust project of the same name would take for it.
const TAKEN: &[&str] = &["serde-json", "std"];

/// Write a small project: a function that greets, in Rust or Python
///
/// It builds with the language's own tools, has tests of its own, and runs here, in Spin and in wasmCloud.
#[derive(Args)]
pub(super) struct New {
    /// Its name: words of lower-case letters and digits, with dashes between them
    #[arg(value_parser = name)]
    name: String,

    /// Its language
    #[arg(long, value_enum, default_value_t = Template::Rust, value_name = "LANGUAGE")]
    template: Template,

    /// The directory to write it to, which must be empty or not there [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let directory = self.path.unwrap_or_else(|| PathBuf::from(&self.name));
        let unusable =
            |error: io::Error| format!("cannot write to {}: {error}", directory.display());
        if !is_free(&directory).map_err(unusable)? {
            return Err(format!(
                "{} is there already and is not empty; choose another name, or another directory with --path",
                directory.display()
            ));
        }
        for (path, text) in self.template.files(&self.name) {
            write(&directory.join(path), &text).map_err(unusable)?;
        }
        stderr::line!("Wrote {}. To build and run it:", directory.display());
        stderr::line!("  cd {}", typed(&[&directory.to_string_lossy()]));
        stderr::line!("  {}", self.template.prepare());
        stderr::line!("  {}", self.template.build(&self.name));
        stderr::line!("  host serve {}", self.template.component(&self.name));
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether nothing is there that could be overwritten.
fn is_free(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

/// Takes the names that all can have: a Spin component (words that begin with a letter), a Kubernetes Service (RFC 1035),
/// a Rust crate.
fn name(text: &str) -> Result<String, String> {
    match fault(text) {
        None => Ok(text.to_owned()),
        Some(fault) => Err(format!(
            "`{text}` is not the name of a project: {fault}; expected words of a-z and 0-9 that begin with a letter, with a \
             dash between them, such as my-function; {LONGEST_NAME} characters at most"
        )),
    }
}

/// What is wrong with a name, the part of it named.
fn fault(text: &str) -> Option<String> {
    let is_allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
    if text.is_empty() {
        return Some("it is empty".into());
    }
    if let Some(c) = text.chars().find(|c| !is_allowed(c)) {
        return Some(format!("`{}` cannot be part of it", c.escape_debug()));
    }
    if text.len() > LONGEST_NAME {
        return Some(format!("it has {} characters", text.len()));
    }
    if TAKEN.contains(&text) {
        return Some("Rust projects use a library of that name".into());
    }
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    match text.split('-').find(|word| !is_word(word)) {
        None => None,
        Some("") => Some("a dash has no word beside it".into()),
        Some(word) => Some(format!(
            "its word `{word}` begins with a digit, which Spin refuses"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_every_host_takes_are_taken() {
        let longest = "a".repeat(LONGEST_NAME);
        for text in ["f", "my-function", "step2", "a1-b2", &longest] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn other_names_are_refused_with_the_part_that_is_wrong() {
        let too_long = "a".repeat(LONGEST_NAME + 1);
        for (text, part) in [
            ("", "it is empty"),
            ("step-2", "its word `2` begins with a digit"),
            ("a-b-3c", "its word `3c` begins with a digit"),
            ("1f", "its word `1f`"),
            ("f-", "a dash has no word beside it"),
            ("-f", "a dash has no word beside it"),
            ("f--g", "a dash has no word beside it"),
            ("f_g", "`_` cannot be part"),
            ("My", "`M` cannot be part"),
            ("f.g", "`.` cannot be part"),
            ("../f", "`.` cannot be part"),
            ("fü", "`ü` cannot be part"),
            ("f\n", "`\\n` cannot be part"),
            (&too_long, "it has 64 characters"),
            ("std", "a library of that name"),
            ("serde-json", "a library of that name"),
        ] {
            let refused = name(text).unwrap_err();
            assert!(refused.contains(part), "{text}: {refused}");
            assert!(refused.contains("such as my-function"), "{refused}");
        }
    }
}
