mod beyond;
mod naive;
mod properties;
mod refusals;
mod sentences;
mod vectors;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::*;

fn schedule(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, zone).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn instant(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The next `count` times after `from`, as UTC.
fn times(text: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let schedule = schedule(text, zone);
    let mut time = instant(from);
    let mut times = Vec::new();
    for _ in 0..count {
        time = schedule.next_after(time).expect("there is another");
        times.push(time.to_string());
    }
    times
}

/// The next `count` times after `from`, as the clocks of `zone` show them.
fn local_times(text: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let schedule = schedule(text, zone);
    let mut time = instant(from);
    let mut times = Vec::new();
    for _ in 0..count {
        time = schedule.next_after(time).expect("there is another");
        let zoned = time.to_zoned(schedule.zone().clone());
        times.push(zoned.strftime("%Y-%m-%d %H:%M %:z").to_string());
    }
    times
}

fn next_civil(text: &str, from: &str) -> String {
    let from: DateTime = from
        .parse()
        .unwrap_or_else(|error| panic!("{from}: {error}"));
    let from = TimeZone::UTC
        .to_timestamp(from)
        .expect("UTC has every time");
    let next = schedule(text, "UTC").next_after(from);
    let next = next.expect("there is another");
    TimeZone::UTC
        .to_datetime(next)
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}
