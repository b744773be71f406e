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

/// The longest name, as Spin and wasmCloud take them.
const LONGEST_NAME: usize = 63;

/// Write a small project: a function that greets, in Rust or Python
///
/// It builds with the language's own tools, has tests of its own, and runs here, in Spin and in wasmCloud.
#[derive(Args)]
pub(super) struct New {
    /// Its name: lower-case letters, digits and dashes
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
        stderr::line!("  {}", self.template.build_prepared(&self.name));
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

fn name(text: &str) -> Result<String, String> {
    let is_name = text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    match is_name {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not the name of a project; expected words of a-z and 0-9 with a dash between them, the first one \
             beginning with a letter, such as my-function; {LONGEST_NAME} characters at most"
        )),
    }
}
