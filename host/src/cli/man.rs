//! `host man`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::format::print;
use super::{Message, command};

/// Print the manual page, or write those of all commands
///
/// Without a directory, the page of `host` itself is printed.
#[derive(Args)]
pub(super) struct Man {
    /// Write a page for each command into this directory, such as ~/.local/share/man/man1
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        // `help` has no page of its own.
        let mut host = command().disable_help_subcommand(true);
        host.build();
        if let Some(directory) = self.out {
            fs::create_dir_all(&directory)
                .and_then(|()| write_all(&host, &directory))
                .map_err(|error| format!("cannot write to {}: {error}", directory.display()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let page = page(&host).map_err(|error| format!("cannot make the page: {error}"))?;
        print(&page)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the pages of `command` and of all below it.
fn write_all(command: &clap::Command, directory: &Path) -> io::Result<()> {
    for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
        write_all(part, directory)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    fs::write(directory.join(format!("{name}.1")), page(command)?)
}

fn page(command: &clap::Command) -> io::Result<String> {
    let page = clap_mangen::Man::new(command.clone())
        .source(concat!("host ", env!("CARGO_PKG_VERSION")))
        .manual("Manual of host");
    let mut roff = Vec::new();
    page.render(&mut roff)?;
    let roff = String::from_utf8_lossy(&roff).replace(".SH EXTRA\nExample:\n", ".SH EXAMPLE\n");
    Ok(ascii(&roff) + include_str!("man/sections.roff"))
}

/// The same page with other characters by their numbers, for readers that take text for Latin-1 (groff_char(7)).
fn ascii(roff: &str) -> String {
    let mut text = String::with_capacity(roff.len());
    for c in roff.chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => text.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_ascii_and_ends_with_the_example() {
        assert_eq!(ascii("KEY=VALUE,…"), "KEY=VALUE,\\[u2026]");
        let page = page(&command()).unwrap();
        assert!(page.is_ascii());
        assert!(
            page.contains(".SH EXAMPLE\n  host quickstart hello.wasm"),
            "{page}"
        );
        assert!(!page.contains("EXTRA"), "{page}");
    }
}
