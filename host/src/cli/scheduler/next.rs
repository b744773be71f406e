//! `host scheduler next`

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::super::Message;
use super::super::listing::{Item, Listed};
use super::super::time::instant;
use crate::scheduler::{Schedule, Shift};

/// Show when a schedule comes next
///
/// Times that a change of the clocks moves, or has come twice, are marked.
#[derive(Args)]
pub(super) struct Next {
    /// The schedule: unix-cron, such as `0 * * * *`, or words, such as `every monday 09:00`
    schedule: String,

    /// The time zone that it is for
    #[arg(long, value_name = "ZONE", default_value = "Etc/UTC")]
    time_zone: String,

    /// How many times
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    count: u32,

    /// After which time: 2026-11-23T14:00:00Z, a date and time in UTC, or 2h for two hours ago [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    from: Option<Timestamp>,

    #[command(flatten)]
    listed: Listed,
}

impl Next {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let schedule = Schedule::parse(&self.schedule, &self.time_zone);
        let schedule = schedule.map_err(|error| error.to_string())?;
        let mut items = Vec::new();
        let mut time = self.from.unwrap_or_else(Timestamp::now);
        while items.len() < self.count as usize
            && let Some(next) = schedule.occurrence_after(time)
        {
            time = next.time;
            let local = time.to_zoned(schedule.zone().clone());
            let local = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
            let note = note(next.shift);
            let value = json!({"time": local, "utc": time.to_string(), "note": note});
            let row = [local, time.to_string(), note];
            items.push(Item { value, row });
        }
        self.listed.show(["TIME", "UTC", "NOTE"], items)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What the clocks did to a time, in words.
fn note(shift: Shift) -> String {
    match shift {
        Shift::None => String::new(),
        Shift::Skipped(civil) => {
            format!("daylight saving: clocks skip {}", civil.strftime("%H:%M"))
        }
        Shift::Once => "daylight saving: clocks show this time twice; only the first counts".into(),
        Shift::First => "daylight saving: the first of two".into(),
        Shift::Second => "daylight saving: the second of two".into(),
    }
}
