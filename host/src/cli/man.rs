//! `host man`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::format::print;
use super::{Message, command};

/// Print the manual page, or write those of all commands
///
/// Without a directory, the page of `host` itself is printed: host man | man -l -
#[derive(Args)]
pub(super) struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        if let Some(directory) = self.out {
            let unusable = |error| format!("cannot write to {}: {error}", directory.display());
            std::fs::create_dir_all(&directory).map_err(unusable)?;
            clap_mangen::generate_to(command(), &directory).map_err(unusable)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command()).render(&mut page);
        rendered.map_err(|error| format!("cannot make the page: {error}"))?;
        print(&String::from_utf8_lossy(&page))?;
        Ok(ExitCode::SUCCESS)
    }
}
