//! Expressions, starts and next times that other projects hold to be right, written down anew.
//!
//! From `CronExpressionFacts.cs` of Cronos and `spec_test.go` of robfig/cron: those rows whose syntax is unix-cron, without
//! seconds. Where they differ from the rule of this program, or from each other, the comment says so.

use super::{local_times, next_civil, times};

#[test]
fn calendars_agree_with_robfig_cron() {
    for (from, text, next) in [
        ("2012-07-09T14:45", "*/15 * * * *", "2012-07-09 15:00"),
        ("2012-07-09T14:59", "*/15 * * * *", "2012-07-09 15:00"),
        ("2012-07-09T14:59:59", "*/15 * * * *", "2012-07-09 15:00"),
        ("2012-07-09T15:45", "20-35/15 * * * *", "2012-07-09 16:20"),
        ("2012-07-09T23:46", "*/15 * * * *", "2012-07-10 00:00"),
        ("2012-07-09T23:45", "20-35/15 * * * *", "2012-07-10 00:20"),
        (
            "2012-07-09T23:35:51",
            "20-35/15 1-23/2 * * *",
            "2012-07-10 01:20",
        ),
        (
            "2012-07-09T23:35:51",
            "20-35/15 10-12 * * *",
            "2012-07-10 10:20",
        ),
        (
            "2012-07-09T23:35:51",
            "20-35/15 1-23/2 */2 * *",
            "2012-07-11 01:20",
        ),
        (
            "2012-07-09T23:35:51",
            "20-35/15 * 9-20 * *",
            "2012-07-10 00:20",
        ),
        (
            "2012-07-09T23:35:51",
            "20-35/15 * 9-20 Jul *",
            "2012-07-10 00:20",
        ),
        ("2012-07-09T23:35", "0 0 9 Apr-Oct *", "2012-08-09 00:00"),
        (
            "2012-07-09T23:35",
            "0 0 */5 Apr,Aug,Oct Mon",
            "2012-08-06 00:00",
        ),
        ("2012-07-09T23:35", "0 0 */5 Oct Mon", "2012-10-01 00:00"),
        ("2012-07-09T23:35", "0 0 * Feb Mon", "2013-02-04 00:00"),
        (
            "2012-07-09T23:35",
            "0 0 * Feb Mon-Sun/2",
            "2013-02-01 00:00",
        ),
        ("2012-12-31T23:59:45", "* * * * *", "2013-01-01 00:00"),
        ("2012-07-09T23:35", "0 0 29 Feb *", "2016-02-29 00:00"),
    ] {
        assert_eq!(next_civil(text, from), next, "{text} after {from}");
    }
}

#[test]
fn matches_agree_with_robfig_cron() {
    for (time, text, is_match) in [
        ("2012-07-09T15:00", "*/15 * * * *", true),
        ("2012-07-09T15:45", "*/15 * * * *", true),
        ("2012-07-09T15:40", "*/15 * * * *", false),
        ("2012-07-09T15:05", "5-59/15 * * * *", true),
        ("2012-07-09T15:20", "5-59/15 * * * *", true),
        ("2012-07-09T15:50", "5-59/15 * * * *", true),
        ("2012-07-15T15:00", "*/15 * * Jul *", true),
        ("2012-07-15T15:00", "*/15 * * Jun *", false),
        ("2012-07-15T08:30", "30 08 * Jul Sun", true),
        ("2012-07-15T08:30", "30 08 15 Jul *", true),
        ("2012-07-16T08:30", "30 08 * Jul Sun", false),
        ("2012-07-16T08:30", "30 08 15 Jul *", false),
        ("2012-07-09T15:00", "@hourly", true),
        ("2012-07-09T15:04", "@hourly", false),
        ("2012-07-09T15:00", "@daily", false),
        ("2012-07-09T00:00", "@daily", true),
        ("2012-07-09T00:00", "@weekly", false),
        ("2012-07-08T00:00", "@weekly", true),
        ("2012-07-08T01:00", "@weekly", false),
        ("2012-07-08T00:00", "@monthly", false),
        ("2012-07-01T00:00", "@monthly", true),
        // Both days are named, so either will do.
        ("2012-07-15T00:00", "* * 1,15 * Sun", true),
        ("2012-06-15T00:00", "* * 1,15 * Sun", true),
        ("2012-08-01T00:00", "* * 1,15 * Sun", true),
        // One begins with a star, so both must match.
        ("2012-07-15T00:00", "* * * * Mon", false),
        ("2012-07-15T00:00", "* * */10 * Sun", false),
        ("2012-07-09T00:00", "* * 1,15 * *", false),
        ("2012-07-15T00:00", "* * 1,15 * *", true),
        ("2012-07-15T00:00", "* * */2 * Sun", true),
    ] {
        let shown = time.replace('T', " ");
        let minute_before: jiff::civil::DateTime = time.parse().unwrap();
        let minute_before = (minute_before - jiff::Span::new().minutes(1)).to_string();
        let is_next = next_civil(text, &minute_before) == shown;
        assert_eq!(is_next, is_match, "{text} at {time}");
    }
}

/// Rows that name a day of the month and one of the week are left out: Cronos wants both, cron either.
#[test]
fn calendars_agree_with_cronos() {
    for (text, from, next) in [
        ("0 0 * * 5", "2016-12-06T23:59", "2016-12-09 00:00"),
        ("0 0 * * 05", "2016-12-09T12:00", "2016-12-16 00:00"),
        ("0 0 * * 3,5,7", "2016-12-10T00:00", "2016-12-11 00:00"),
        ("0 0 * * 3,5,7", "2016-12-11T00:00", "2016-12-14 00:00"),
        ("0 0 * * 4-7", "2016-12-10T12:00", "2016-12-11 00:00"),
        ("0 0 * * 4-07", "2016-12-11T12:00", "2016-12-15 00:00"),
        ("0 0 * * FRI", "2016-12-08T00:00", "2016-12-09 00:00"),
        ("0 0 * * thu-sat", "2016-12-10T12:00", "2016-12-15 00:00"),
        ("0 0 * * thu-sun", "2016-12-10T12:00", "2016-12-11 00:00"),
        ("0 0 * * 0-0", "2016-12-08T00:00", "2016-12-11 00:00"),
        ("0 0 * * SUN-SUN", "2016-12-08T00:00", "2016-12-11 00:00"),
        ("0 0 * * FRI-SUN", "2016-12-12T00:00", "2016-12-16 00:00"),
        ("0 0 * * */5", "2016-12-08T00:00", "2016-12-09 00:00"),
        ("0 0 * * */5", "2016-12-10T00:00", "2016-12-11 00:00"),
        ("59 12 * * *", "2017-01-14T12:58:59", "2017-01-14 12:59"),
        ("0 * * * *", "2017-01-14T12:59", "2017-01-14 13:00"),
        ("0 0 * * *", "2017-01-14T23:00", "2017-01-15 00:00"),
        ("0 0 1 * *", "2016-02-10T00:00", "2016-03-01 00:00"),
        ("0 0 1 * *", "2017-02-10T00:00", "2017-03-01 00:00"),
        ("0 0 1 * *", "2017-04-10T00:00", "2017-05-01 00:00"),
        ("0 0 1 * *", "2017-01-30T00:00", "2017-02-01 00:00"),
        ("0 0 * * *", "2017-12-31T23:59", "2018-01-01 00:00"),
        ("0 0 30 * *", "2017-02-25T00:00", "2017-03-30 00:00"),
        ("0 0 31 * *", "2017-02-25T00:00", "2017-03-31 00:00"),
        ("0 0 31 * *", "2017-04-01T00:00", "2017-05-31 00:00"),
        ("0 0 29 2 *", "2016-03-10T00:00", "2020-02-29 00:00"),
    ] {
        assert_eq!(next_civil(text, from), next, "{text} after {from}");
    }
}

/// Fixed times in a gap are due at its end, as Cronos has them.
#[test]
fn gaps_agree_with_cronos() {
    for (zone, text, from, next) in [
        (
            "America/New_York",
            "0,30 2 * * *",
            "2016-03-12 02:30 -05:00",
            "2016-03-13 03:00 -04:00",
        ),
        (
            "America/New_York",
            "30 2 * * *",
            "2016-03-12 02:30 -05:00",
            "2016-03-13 03:00 -04:00",
        ),
        (
            "America/New_York",
            "30 2 * * *",
            "2016-03-13 01:59 -05:00",
            "2016-03-13 03:00 -04:00",
        ),
        (
            "America/New_York",
            "0,30 02 13 03 *",
            "2016-03-13 01:45 -05:00",
            "2016-03-13 03:00 -04:00",
        ),
        (
            "America/New_York",
            "0,59 * * * *",
            "2016-03-13 01:59 -05:00",
            "2016-03-13 03:00 -04:00",
        ),
        (
            "America/New_York",
            "*/30 * * * *",
            "2016-03-13 01:30 -05:00",
            "2016-03-13 03:00 -04:00",
        ),
        (
            "Asia/Amman",
            "30 0 31 * *",
            "2017-03-30 23:59 +02:00",
            "2017-03-31 01:00 +03:00",
        ),
        (
            "Australia/Lord_Howe",
            "30 2 * * *",
            "2017-10-01 01:59 +10:30",
            "2017-10-01 02:30 +11:00",
        ),
        (
            "Australia/Lord_Howe",
            "0,30 2 * * *",
            "2017-10-01 01:45 +10:30",
            "2017-10-01 02:30 +11:00",
        ),
        (
            "Australia/Lord_Howe",
            "0 2 * * *",
            "2017-10-01 01:45 +10:30",
            "2017-10-01 02:30 +11:00",
        ),
        (
            "Australia/Lord_Howe",
            "*/30 * * * *",
            "2017-10-01 01:45 +10:30",
            "2017-10-01 02:30 +11:00",
        ),
        (
            "Australia/Lord_Howe",
            "*/30 */2 * * *",
            "2017-10-01 01:59 +10:30",
            "2017-10-01 02:30 +11:00",
        ),
    ] {
        assert_eq!(
            local_times(text, zone, &utc(from), 1),
            [next],
            "{text} after {from}"
        );
    }
}

/// Cronos moves times of `*` and steps out of a gap as well, and counts ranges as intervals. Here the first follow the
/// clock, and the second are fixed times.
#[test]
fn gaps_differ_from_cronos_where_this_program_says_so() {
    for (text, next) in [
        ("0 */2 * * *", "2016-03-13 04:00 -04:00"),
        ("30 0-23/2 * * *", "2016-03-13 04:30 -04:00"),
        ("1-58 2-3 * * *", "2016-03-13 03:00 -04:00"),
    ] {
        let from = utc("2016-03-13 01:59 -05:00");
        assert_eq!(
            local_times(text, "America/New_York", &from, 1),
            [next],
            "{text}"
        );
    }
}

#[test]
fn overlaps_agree_with_cronos() {
    for (text, from, next) in [
        (
            "0 */2 * * *",
            "2016-11-06 00:30 -04:00",
            "2016-11-06 02:00 -05:00",
        ),
        (
            "0 2-3 * * *",
            "2016-11-06 00:30 -04:00",
            "2016-11-06 02:00 -05:00",
        ),
        (
            "*/30 * * * *",
            "2016-11-06 01:00 -04:00",
            "2016-11-06 01:30 -04:00",
        ),
        (
            "*/30 * * * *",
            "2016-11-06 01:30 -04:00",
            "2016-11-06 01:00 -05:00",
        ),
        (
            "*/30 * * * *",
            "2016-11-06 01:00 -05:00",
            "2016-11-06 01:30 -05:00",
        ),
        (
            "*/30 * * * *",
            "2016-11-06 01:30 -05:00",
            "2016-11-06 02:00 -05:00",
        ),
        (
            "30 * * * *",
            "2016-11-06 01:30 -04:00",
            "2016-11-06 01:30 -05:00",
        ),
        (
            "30 * * * *",
            "2016-11-06 01:30 -05:00",
            "2016-11-06 02:30 -05:00",
        ),
        (
            "30 */1 * * *",
            "2016-11-06 01:30 -04:00",
            "2016-11-06 01:30 -05:00",
        ),
        (
            "*/30 1 * * *",
            "2016-11-06 01:20 -04:00",
            "2016-11-06 01:30 -04:00",
        ),
        (
            "*/30 1 * * *",
            "2016-11-06 01:30 -04:00",
            "2016-11-06 01:00 -05:00",
        ),
        (
            "*/30 1 * * *",
            "2016-11-06 01:20 -05:00",
            "2016-11-06 01:30 -05:00",
        ),
        (
            "30 1 * * *",
            "2016-11-06 01:00 -04:00",
            "2016-11-06 01:30 -04:00",
        ),
        (
            "30 1 * * *",
            "2016-11-06 01:30 -04:00",
            "2016-11-07 01:30 -05:00",
        ),
        (
            "30 1 * * *",
            "2016-11-06 01:15 -05:00",
            "2016-11-07 01:30 -05:00",
        ),
    ] {
        let found = local_times(text, "America/New_York", &utc(from), 1);
        assert_eq!(found, [next], "{text} after {from}");
    }
    // Santiago's clocks go back at midnight, into the day before.
    let from = utc("2017-05-13 23:59 -03:00");
    let found = local_times("30 23 * * *", "America/Santiago", &from, 1);
    assert_eq!(found, ["2017-05-14 23:30 -04:00"]);
}

#[test]
fn regressions_of_other_schedulers_stay_away() {
    // Cairo's clocks skip midnight: a daily job is neither lost nor stuck.
    let cairo = local_times("0 0 * * *", "Africa/Cairo", "2026-04-22T12:00:00Z", 3);
    let expected = [
        "2026-04-23 00:00 +02:00",
        "2026-04-24 01:00 +03:00",
        "2026-04-25 00:00 +03:00",
    ];
    assert_eq!(cairo, expected);
    // Cairo's clocks show the hour before midnight twice.
    let cairo = local_times("30 23 * * *", "Africa/Cairo", "2026-10-29T00:00:00Z", 2);
    assert_eq!(
        cairo,
        ["2026-10-29 23:30 +03:00", "2026-10-30 23:30 +02:00"]
    );
    // A weekly job on the day of the change (Lord Howe moves by half an hour).
    let weekly = local_times(
        "15 2 * * SUN",
        "Australia/Lord_Howe",
        "2026-09-28T00:00:00Z",
        2,
    );
    assert_eq!(
        weekly,
        ["2026-10-04 02:30 +11:00", "2026-10-11 02:15 +11:00"]
    );
    let weekly = local_times(
        "45 1 * * SUN",
        "Australia/Lord_Howe",
        "2026-03-30T00:00:00Z",
        2,
    );
    assert_eq!(
        weekly,
        ["2026-04-05 01:45 +11:00", "2026-04-12 01:45 +10:30"]
    );
    // The tutorial's job, through both of Sydney's changes: an hour apart, always.
    for from in ["2026-04-04T12:00:00Z", "2026-10-03T12:00:00Z"] {
        let hours = times("0 * * * *", "Australia/Sydney", from, 8);
        let from = super::instant(from);
        let expected: Vec<_> = (1..=8)
            .map(|hour| (from + jiff::SignedDuration::from_hours(hour)).to_string())
            .collect();
        assert_eq!(hours, expected);
    }
}

fn utc(text: &str) -> String {
    let time = jiff::Timestamp::strptime("%Y-%m-%d %H:%M %:z", text);
    time.unwrap_or_else(|error| panic!("{text}: {error}"))
        .to_string()
}
