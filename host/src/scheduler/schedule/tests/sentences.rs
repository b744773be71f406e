//! Google's English form.

use super::{instant, schedule, times};

#[test]
fn sentences_are_what_cron_would_say() {
    for (sentence, cron) in [
        ("every day 00:00", "0 0 * * *"),
        ("every monday 09:00", "0 9 * * 1"),
        ("Every Mon,Wed 9:05", "5 9 * * 1,3"),
        ("every mon,tue,wed,thu,fri of sep 18:30", "30 18 * 9 1-5"),
        ("1 of jan,april,july,oct 00:00", "0 0 1 1,4,7,10 *"),
        ("1,8,15,22 of month 09:00", "0 9 1,8,15,22 * *"),
        ("every 2 hours synchronized", "0 */2 * * *"),
        ("every 20 mins synchronized", "*/20 * * * *"),
        (
            "every 12 hours from 00:00 to 12:00 synchronized",
            "0 0,12 * * *",
        ),
        ("every 2 hours from 10:00 to 14:00", "0 10-14/2 * * *"),
        ("every 30 minutes from 22:00 to 01:00", "0,30 0,22,23 * * *"),
    ] {
        let from = "2026-01-31T11:17:00Z";
        let mut expected = times(cron, "Etc/UTC", from, 40);
        if sentence.contains("22:00 to 01:00") {
            expected = expected
                .into_iter()
                .flat_map(|time| {
                    let after = time
                        .contains("T00:30")
                        .then(|| time.replace("T00:30", "T01:00"));
                    std::iter::once(time).chain(after)
                })
                .take(40)
                .collect();
        }
        assert_eq!(times(sentence, "Etc/UTC", from, 40), expected, "{sentence}");
    }
}

/// Clocks in Santiago skip from midnight to one o'clock on 6 September 2026.
#[test]
fn once_a_day_in_words_is_a_fixed_time_which_no_change_of_clocks_takes_away() {
    let times = |text| times(text, "America/Santiago", "2026-09-04T00:00:00Z", 5);
    let fixed = times("0 0 * * *");
    assert_eq!(fixed[2], "2026-09-06T04:00:00Z");
    for sentence in [
        "every 24 hours synchronized",
        "every 24 hours from 00:00 to 23:59",
        "every 12 hours from 00:00 to 11:59",
        "every day 00:00",
    ] {
        assert_eq!(times(sentence), fixed, "{sentence}");
    }
}

#[test]
fn ordinals_count_days_of_the_week_within_the_month() {
    let times = times(
        "1st,third monday of month 17:00",
        "Etc/UTC",
        "2026-11-01T00:00:00Z",
        4,
    );
    let expected = ["2026-11-02", "2026-11-16", "2026-12-07", "2026-12-21"];
    assert_eq!(times, expected.map(|day| format!("{day}T17:00:00Z")));
    let fifth = super::times(
        "5th sunday of feb 12:00",
        "Etc/UTC",
        "2026-01-01T00:00:00Z",
        1,
    );
    assert_eq!(fifth, ["2032-02-29T12:00:00Z"]);
    let several = super::times(
        "2nd,third mon,wed,thu of march 17:00",
        "Etc/UTC",
        "2026-01-01T00:00:00Z",
        7,
    );
    let days = ["03-09", "03-11", "03-12", "03-16", "03-18", "03-19"];
    assert_eq!(
        several[..6],
        days.map(|day| format!("2026-{day}T17:00:00Z"))
    );
    assert_eq!(several[6], "2027-03-08T17:00:00Z");
}

/// What Google's own parser makes of these.
#[test]
fn sentences_mean_what_they_mean_to_google() {
    for (sentence, days) in [
        ("every mon, tue 09:00", ["02-02", "02-03", "02-09", "02-10"]),
        ("every mon ,tue 09:00", ["02-02", "02-03", "02-09", "02-10"]),
        (
            "every sat of quarter 09:00",
            ["04-04", "04-11", "04-18", "04-25"],
        ),
        (
            "every day of quarter 09:00",
            ["04-01", "04-02", "04-03", "04-04"],
        ),
        (
            "every monday of mar, apr 09:00",
            ["03-02", "03-09", "03-16", "03-23"],
        ),
        (
            "1 of first month of quarter 09:00",
            ["04-01", "07-01", "10-01", "01-01"],
        ),
        (
            "1, 15 of third month of quarter 09:00",
            ["03-01", "03-15", "06-01", "06-15"],
        ),
        (
            "5th day of month 09:00",
            ["02-05", "03-05", "04-05", "05-05"],
        ),
        ("5th day 09:00", ["02-05", "03-05", "04-05", "05-05"]),
        (
            "third day of quarter 09:00",
            ["04-03", "07-03", "10-03", "01-03"],
        ),
        (
            "1st,5th day of second month of quarter 09:00",
            ["02-01", "02-05", "05-01", "05-05"],
        ),
        (
            "fourth mon of quarter 09:00",
            ["04-27", "07-27", "10-26", "01-25"],
        ),
        (
            "first,third mon,tue of 1st,2nd month of quarter 09:00",
            ["02-02", "02-03", "02-16", "02-17"],
        ),
        ("1st monday 09:00", ["02-02", "03-02", "04-06", "05-04"]),
        ("30,1 of feb 09:00", ["02-01", "02-01", "02-01", "02-01"]),
    ] {
        let found = times(sentence, "Etc/UTC", "2026-01-31T11:17:00Z", 4);
        let found: Vec<_> = found.iter().map(|time| &time[5..]).collect();
        assert_eq!(
            found,
            days.map(|day| format!("{day}T09:00:00Z")),
            "{sentence}"
        );
    }
}

#[test]
fn an_interval_that_does_not_divide_the_hour_keeps_its_pace_within_the_span() {
    let times = times(
        "every 90 minutes from 10:00 to 14:00",
        "Etc/UTC",
        "2026-01-01T00:00:00Z",
        4,
    );
    let expected = ["01T10:00", "01T11:30", "01T13:00", "02T10:00"];
    assert_eq!(times, expected.map(|time| format!("2026-01-{time}:00Z")));
}

#[test]
fn times_of_a_sentence_are_moved_like_any_fixed_time() {
    let schedule = schedule("every sunday 02:30", "Australia/Sydney");
    let next = schedule.next_after(instant("2026-10-01T00:00:00Z"));
    assert_eq!(next, Some(instant("2026-10-03T16:00:00Z")));
}
