//! `host functions logs read`

use std::process::ExitCode;

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, TypedValueParser};

use super::super::super::Message;
use super::super::super::state::StateDirectory;
use super::damage::Damage;
use super::follow::follow;
use super::hint::hint;
use super::screen::Screen;
use super::selection::Selection;
use crate::logs::{ReadFormat, read};
use crate::stderr;
use crate::store::last_of_full_name;

/// Show log entries
///
/// The last ones that meet all that is said, oldest first. It does not matter whether a host serves.
#[derive(Args)]
pub(super) struct Read {
    /// The function, or the job [default: all]
    #[arg(value_parser = NonEmptyStringValueParser::new().map(short_name))]
    name: Option<String>,

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
    state: StateDirectory,
}

impl Read {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let directory = self.state.kept_log()?;
        let query = self
            .selection
            .query(self.name.as_deref(), self.limit.into());
        if self.follow {
            return follow(&directory, &query, self.format);
        }
        let found = read(&directory, &query).map_err(|error| error.to_string())?;
        Damage::default().note(found.unreadable);
        if found.entries.is_empty() {
            stderr::line!("Listed 0 items.");
            hint(&directory, &query);
        } else {
            Screen::begin(self.format, &found.entries)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The name itself, where a full name is given.
fn short_name(name: String) -> String {
    let mut collections = ["functions", "jobs"].iter();
    let short = collections.find_map(|of| last_of_full_name(&name, of));
    short.map(str::to_owned).unwrap_or(name)
}
