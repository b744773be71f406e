//! `host functions logs read`

use std::process::ExitCode;

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, TypedValueParser};

use super::super::super::Message;
use super::reader::Reader;
use crate::api::Criteria;
use crate::store::last_of_full_name;

/// Show log entries
///
/// The last ones that meet all that is said, oldest first. It does not matter whether a host serves.
#[derive(Args)]
pub(super) struct Read {
    /// The function, or the job [default: all]
    #[arg(value_parser = NonEmptyStringValueParser::new().map(short_name))]
    name: Option<String>,

    /// With a match of this filter in Google's Logging query language, such as 'severity>=ERROR'
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    #[command(flatten)]
    reader: Reader,
}

impl Read {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        self.reader.run(Criteria {
            function: self.name,
            filter: self.filter,
            ..Criteria::default()
        })
    }
}

/// The name itself, where a full name is given.
fn short_name(name: String) -> String {
    let mut collections = ["functions", "jobs"].iter();
    let short = collections.find_map(|of| last_of_full_name(&name, of));
    short.map(str::to_owned).unwrap_or(name)
}
