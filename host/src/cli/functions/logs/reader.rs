//! What the commands that read the log have in common.

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::client::ClientArgs;
use super::damage::Damage;
use super::follow::follow;
use super::screen::Screen;
use super::selection::Selection;
use super::source::LogSource;
use crate::api::Criteria;
use crate::logs::ReadFormat;
use crate::stderr;

/// Which entries are shown, how, and of which host.
#[derive(Args)]
pub(in crate::cli) struct Reader {
    /// How many entries at most, up to 1000
    #[arg(long, short = 'n', value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,

    #[command(flatten)]
    selection: Selection,

    /// Go on with new entries as they come, until Ctrl-C
    #[arg(long, short, conflicts_with = "order")]
    follow: bool,

    /// How they are shown
    #[arg(long, short = 'o', value_enum, default_value_t = ReadFormat::Table, value_name = "FORMAT")]
    format: ReadFormat,

    #[command(flatten)]
    host: ClientArgs,
}

impl Reader {
    /// Shows the entries that meet `criteria` and what is said on the command line.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(in crate::cli) fn run(self, criteria: Criteria) -> Result<ExitCode, Message> {
        let criteria = Criteria {
            project: self.host.project.clone(),
            location: self.host.location.clone(),
            limit: Some(self.limit.into()),
            ..self.selection.added_to(criteria)
        };
        let source = LogSource::of(&self.host, &criteria)?;
        if self.follow {
            return follow(source, &criteria, self.format);
        }
        let reading = source.read(&criteria)?;
        Damage::default().note(reading.found.unreadable.clone());
        let entries = &reading.found.entries;
        match entries.is_empty() {
            true => stderr::line!("Listed 0 items."),
            false => drop(Screen::begin(self.format, entries)?),
        }
        reading.tell();
        Ok(ExitCode::SUCCESS)
    }
}
