//! What unix-cron does not have, and people miss: last days, days of a week of the month, ranges past the end.

use super::{local_times, times};

/// The days after `from` at which `fields` come at midnight.
fn days(fields: &str, from: &str, count: usize) -> Vec<String> {
    let from = format!("{from}T12:00:00Z");
    let times = times(&format!("0 0 {fields}"), "Etc/UTC", &from, count);
    times.iter().map(|time| time[2..10].to_owned()).collect()
}

#[test]
fn days_may_be_counted_from_the_end_of_the_month() {
    for (fields, expected) in [
        ("L * *", ["27-01-31", "27-02-28", "27-03-31", "27-04-30"]),
        ("l 2 *", ["27-02-28", "28-02-29", "29-02-28", "30-02-28"]),
        ("LW * *", ["27-01-29", "27-02-26", "27-03-31", "27-04-30"]),
        ("L,LW * *", ["27-01-29", "27-01-31", "27-02-26", "27-02-28"]),
        ("1,L * *", ["27-01-31", "27-02-01", "27-02-28", "27-03-01"]),
        ("* * FRIL", ["27-01-29", "27-02-26", "27-03-26", "27-04-30"]),
        ("* * 5l", ["27-01-29", "27-02-26", "27-03-26", "27-04-30"]),
        ("* * 7L", ["27-01-31", "27-02-28", "27-03-28", "27-04-25"]),
        // Either day will do, unless one begins with a star.
        ("L * MON", ["27-01-11", "27-01-18", "27-01-25", "27-01-31"]),
        (
            "L * */6,MON,TUE",
            ["27-01-31", "27-02-28", "27-05-31", "27-07-31"],
        ),
    ] {
        assert_eq!(days(fields, "2027-01-10", 4), expected, "{fields}");
    }
}

#[test]
fn days_of_the_week_may_be_counted_within_the_month() {
    for (fields, expected) in [
        (
            "* * FRI#3",
            ["27-01-15", "27-02-19", "27-03-19", "27-04-16"],
        ),
        (
            "* * 5#3,MON#1",
            ["27-01-15", "27-02-01", "27-02-19", "27-03-01"],
        ),
        ("* * 7#5", ["27-01-31", "27-05-30", "27-08-29", "27-10-31"]),
        (
            "* 2 MON#5",
            ["44-02-29", "72-02-29", "12-02-29", "40-02-29"],
        ),
    ] {
        assert_eq!(days(fields, "2027-01-10", 4), expected, "{fields}");
    }
}

#[test]
fn ranges_may_go_past_the_end() {
    for (fields, expected) in [
        (
            "* * FRI-MON",
            ["27-01-11", "27-01-15", "27-01-16", "27-01-17"],
        ),
        ("* * 6-1", ["27-01-11", "27-01-16", "27-01-17", "27-01-18"]),
        ("* * 7-2", ["27-01-11", "27-01-12", "27-01-17", "27-01-18"]),
        (
            "* * FRI-MON/2",
            ["27-01-15", "27-01-17", "27-01-22", "27-01-24"],
        ),
        ("30-1 * *", ["27-01-30", "27-01-31", "27-02-01", "27-03-01"]),
        (
            "1 NOV-FEB *",
            ["27-02-01", "27-11-01", "27-12-01", "28-01-01"],
        ),
        (
            "1 OCT-MAR/3 *",
            ["27-10-01", "28-01-01", "28-10-01", "29-01-01"],
        ),
    ] {
        assert_eq!(days(fields, "2027-01-10", 4), expected, "{fields}");
    }
    let hours = times("50-5/5 22-1 * * *", "Etc/UTC", "2027-01-10T00:55:00Z", 6);
    let expected = ["01:00", "01:05", "01:50", "01:55", "22:00", "22:05"];
    assert_eq!(hours, expected.map(|time| format!("2027-01-10T{time}:00Z")));
}

#[test]
fn a_range_past_midnight_is_of_fixed_times() {
    // Sydney's clocks skip 02:00 to 03:00.
    let found = local_times(
        "30 23-2 * * *",
        "Australia/Sydney",
        "2026-10-03T13:00:00Z",
        4,
    );
    let expected = [
        "2026-10-03 23:30 +10:00",
        "2026-10-04 00:30 +10:00",
        "2026-10-04 01:30 +10:00",
        "2026-10-04 03:00 +11:00",
    ];
    assert_eq!(found, expected);
}
