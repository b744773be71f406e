//! What holds for every schedule, at every time.

use jiff::{SignedDuration, Timestamp};

use super::{instant, schedule, times};
use crate::scheduler::Shift;

const SCHEDULES: [&str; 10] = [
    "* * * * *",
    "0 * * * *",
    "*/7 3-20/4 * * *",
    "30 2 * * *",
    "0 0 29 2 *",
    "0 12 13 * FRI",
    "@monthly",
    "every 35 minutes",
    "1st,third monday of month 17:00",
    "every 90 minutes from 22:00 to 03:30",
];
const ZONES: [&str; 5] = [
    "Etc/UTC",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/New_York",
];

/// Instants all over fifty years, the same in each run (Lehmer's generator).
fn instants() -> impl Iterator<Item = Timestamp> {
    let mut state = 20_261_124_u64;
    std::iter::repeat_with(move || {
        state = state * 48_271 % 0x7fff_ffff;
        let seconds = 1_577_836_800 + (state as i64) % (50 * 365 * 86_400);
        Timestamp::new(seconds, (state % 1_000_000_000) as i32).unwrap()
    })
    .take(200)
}

#[test]
fn the_next_time_is_later_and_none_lies_between() {
    for text in SCHEDULES {
        for zone in ZONES {
            let schedule = schedule(text, zone);
            for from in instants() {
                let next = schedule.next_after(from).expect("it comes again");
                assert!(next > from, "{text} in {zone} after {from}");
                let moment = SignedDuration::from_nanos(1);
                assert_eq!(schedule.next_after(next - moment), Some(next));
                let half = from + (next.duration_since(from) / 2);
                assert_eq!(
                    schedule.next_after(half),
                    Some(next),
                    "{text} in {zone} after {half}"
                );
            }
        }
    }
}

#[test]
fn every_time_but_a_moved_one_is_shown_by_the_clock() {
    let schedule = schedule("30 2 * * *", "Australia/Sydney");
    let mut time = instant("2026-01-01T00:00:00Z");
    let mut moved = Vec::new();
    for _ in 0..366 {
        let next = schedule.occurrence_after(time).expect("it comes again");
        time = next.time;
        let civil = schedule.zone().to_datetime(time);
        match next.shift {
            Shift::Skipped(skipped) => {
                moved.push(skipped.to_string());
                assert_eq!(civil.to_string(), "2026-10-04T03:00:00");
            }
            Shift::Once => assert_eq!(civil.date().to_string(), "2026-04-05"),
            _ => assert_eq!((civil.hour(), civil.minute()), (2, 30)),
        }
    }
    assert_eq!(moved, ["2026-10-04T02:30:00"]);
}

#[test]
fn what_is_shown_twice_is_told_apart() {
    let schedule = schedule("30 * * * *", "Australia/Sydney");
    let mut time = instant("2026-04-04T15:00:00Z");
    let mut shifts = Vec::new();
    for _ in 0..3 {
        let next = schedule.occurrence_after(time).expect("it comes again");
        time = next.time;
        shifts.push(next.shift);
    }
    assert_eq!(shifts, [Shift::First, Shift::Second, Shift::None]);
}

#[test]
fn a_day_that_a_zone_left_out_is_due_when_the_next_begins() {
    // Samoa went from the 29th to the 31st of December 2011.
    let apia = times("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3);
    assert_eq!(
        apia,
        [
            "2011-12-29T22:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-30T22:00:00Z"
        ]
    );
}

#[test]
fn an_interval_is_counted_from_the_epoch_whatever_clocks_do() {
    for zone in ZONES {
        let seven = times("every 7 hours", zone, "1970-01-01T00:00:00Z", 3);
        assert_eq!(
            seven,
            [
                "1970-01-01T07:00:00Z",
                "1970-01-01T14:00:00Z",
                "1970-01-01T21:00:00Z"
            ]
        );
    }
    assert_eq!(
        times("every 5 minutes", "UTC", "2026-11-24T10:02:30Z", 1),
        ["2026-11-24T10:05:00Z"]
    );
}
