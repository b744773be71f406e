//! What is no schedule, and what is said of it.

use crate::scheduler::Schedule;

#[track_caller]
fn refusal(text: &str) -> String {
    match Schedule::parse(text, "Etc/UTC") {
        Ok(_) => panic!("{text} is a schedule"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_error_points_at_the_field() {
    for (text, expected) in [
        (
            "60 * * * *",
            "the minute (field 1) is `60`: `60` is not a value; expected 0 to 59",
        ),
        (
            "0 24 * * *",
            "the hour (field 2) is `24`: `24` is not a value; expected 0 to 23",
        ),
        (
            "0 0 0 * *",
            "the day of the month (field 3) is `0`: `0` is not a value; expected 1 to 31, L or LW",
        ),
        (
            "0 0 * 13 *",
            "the month (field 4) is `13`: `13` is not a value; expected 1 to 12 or JAN to DEC",
        ),
        (
            "0 0 * * 8",
            "the day of the week (field 5) is `8`: `8` is not a value; expected 0 to 7 or SUN to SAT",
        ),
        (
            "L * * * *",
            "the minute (field 1) is `L`: `L` is not a value; expected 0 to 59",
        ),
        (
            "0 0 15W * *",
            "the day of the month (field 3) is `15W`: `15W` is not a value; expected 1 to 31, L or LW",
        ),
        (
            "0 0 L-3 * *",
            "the day of the month (field 3) is `L-3`: `L-3` is not a value; expected 1 to 31, L or LW",
        ),
        (
            "0 0 * * L",
            "the day of the week (field 5) is `L`: `L` is not a value; expected 0 to 7 or SUN to SAT",
        ),
        (
            "0 0 * * MON#6",
            "the day of the week (field 5) is `MON#6`: `MON#6` is not a day of a month; expected #1 to #5, as in `FRI#3`",
        ),
        (
            "0 0 * * MON-FRI#1",
            "the day of the week (field 5) is `MON-FRI#1`: `MON-FRI` is not a value; expected 0 to 7 or SUN to SAT",
        ),
        (
            "0 0 ? * *",
            "the day of the month (field 3) is `?`: `?` is not a value; expected 1 to 31, L or LW",
        ),
        (
            "*/60 * * * *",
            "the minute (field 1) is `*/60`: `/60` is not a step; expected 1 to 59",
        ),
        (
            "0 */0 * * *",
            "the hour (field 2) is `*/0`: `/0` is not a step; expected 1 to 23",
        ),
        (
            "0/15 * * * *",
            "the minute (field 1) is `0/15`: a step needs `*` or a range before it; write `0-59` with the step in place of `0/15`",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn other_than_five_fields_are_counted() {
    for (text, count) in [("", 0), ("*", 1), ("* * * *", 4), ("0 0 12 * * *", 6)] {
        let refusal = refusal(text);
        assert!(refusal.contains(&format!("not {count};")), "{refusal}");
    }
}

#[test]
fn strange_numbers_are_none() {
    for text in [
        "+5 * * * *",
        "-5 * * * *",
        "1,,2 * * * *",
        ", * * * *",
        "1- * * * *",
        "1-2-3 * * * *",
        "*-5 * * * *",
        "* * * * *,MO",
        "*/ * * * *",
        "*/1/1 * * * *",
        "*/+1 * * * *",
        "1.5 * * * *",
        "٣ * * * *",
        "999999999999999999999 * * * *",
        "* * * JANUARY *",
    ] {
        refusal(text);
    }
}

#[test]
fn a_date_that_no_year_has_is_refused() {
    for text in [
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        "0 0 30-31 FEB *",
        "31 of feb 00:00",
        "30 of february 09:00",
        // A day of the week that begins with `*` has to match as well.
        "0 0 30 2 */2",
        "0 0 30,31 FEB */6",
        "*/5 * 31 2 *,MON",
        "0 0 31 4 *",
        "0 0 31 4 */3",
        "0 0 31 2,11 */6",
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with("it never comes: "), "{refusal}");
    }
    // Either day will do.
    assert!(Schedule::parse("0 0 30 2 MON", "Etc/UTC").is_ok());
}

#[test]
fn a_date_that_never_comes_is_refused_with_the_fields_that_make_it_so() {
    assert_eq!(
        refusal("0 0 30 2 */2"),
        "it never comes: no month of `2` (field 4) has a day of `30` (field 3), and the day of the week (field 5) is `*/2`, \
         which adds no others"
    );
}

#[test]
fn what_is_not_refused_comes() {
    let from = "2026-01-01T00:00:00Z".parse().unwrap();
    let days = [
        "1", "29", "30", "31", "30,31", "29-31", "*", "*/2", "*/31", "*,5",
    ];
    let months = ["*", "2", "4", "2,4,6,9,11", "1-2", "*/2", "FEB,APR"];
    let weekdays = [
        "*", "*/2", "*/3", "*/6", "*,1", "0", "MON", "1-5", "SUN,SAT",
    ];
    let mut refused = 0;
    for day in days {
        for month in months {
            for weekday in weekdays {
                let text = format!("0 12 {day} {month} {weekday}");
                match Schedule::parse(&text, "Etc/UTC") {
                    Ok(schedule) => assert!(schedule.next_after(from).is_some(), "{text}"),
                    Err(error) => {
                        assert!(error.to_string().starts_with("it never comes"), "{error}");
                        refused += 1;
                    }
                }
            }
        }
    }
    // Five of the days of the week begin with `*`. 30 in February; 31 in February, April, February and April (in one
    // list or another); both in February.
    assert_eq!(refused, 5 * (1 + 4 + 1));
}

#[test]
fn a_sentence_that_goes_astray_says_where() {
    for (text, words) in [
        ("every", "it ends where a day such as `monday`"),
        (
            "every 5",
            "it ends where `hours` or `minutes` should follow",
        ),
        (
            "every 5 seconds",
            "`seconds` stands where `hours` or `minutes` should",
        ),
        ("every 0 minutes", "`0` stands where a number"),
        ("every monday", "it ends where a time of day"),
        ("every monday 25:00", "`25:00` stands where a time of day"),
        ("every monday 9", "`9` stands where a time of day"),
        ("every munday 09:00", "`munday` stands where a day"),
        ("1st monday of moon 09:00", "`moon` stands where a month"),
        (
            "6th monday of month 09:00",
            "`6th` stands where `every`, an ordinal",
        ),
        (
            "1st,6th monday of month 09:00",
            "`6th` stands where `every`, an ordinal",
        ),
        (
            "every mon,day 09:00",
            "`day` stands where a day such as `monday`",
        ),
        ("every day,mon 09:00", "`,` stands where a time of day"),
        (
            "every mon, 09:00",
            "`09:00` stands where a day such as `monday`",
        ),
        (
            "every mon of 09:00",
            "`09:00` stands where a month such as `march`",
        ),
        (
            "1 of 4th month of quarter 09:00",
            "`4th` stands where a month of a quarter",
        ),
        (
            "1 of first month 09:00",
            "`09:00` stands where `of quarter`",
        ),
        (
            "1 of first quarter 09:00",
            "`quarter` stands where `month of quarter`",
        ),
        (
            "1 of month of quarter 09:00",
            "`of` stands where a time of day",
        ),
        ("1 of quarter,jan 09:00", "`,` stands where a time of day"),
        ("mon of jan 09:00", "`mon` stands where `every`, an ordinal"),
        ("1 of month", "it ends where a time of day"),
        ("0 of month 09:00", "day of the month (field 3)"),
        ("every 5 minutes from 10:00", "it ends where `to`"),
        ("every 5 minutes please", "`please` stands where the end"),
        ("@reboot", "`@reboot` is not known"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(words), "{text}: {refusal}");
    }
}

#[test]
fn an_interval_is_synchronized_only_if_it_divides_the_day() {
    for text in [
        "every 48 hours synchronized",
        "every 7 minutes synchronized",
        "every 5 hours synchronized",
        "every 25 hours synchronized",
        "every 7 minutes from 10:00 to 12:00 synchronized",
    ] {
        let refusal = refusal(text);
        assert!(
            refusal.contains("is not `synchronized` with the day"),
            "{text}: {refusal}"
        );
    }
    for text in [
        "every 24 hours synchronized",
        "every 48 hours",
        "every 7 minutes",
    ] {
        assert!(Schedule::parse(text, "Etc/UTC").is_ok(), "{text}");
    }
}

#[test]
fn a_text_longer_than_any_schedule_is_refused_unread() {
    let refusal = refusal(&"1,".repeat(100_000));
    assert_eq!(refusal, "it has more than 500 characters");
}

#[test]
fn a_zone_that_is_not_there_is_named() {
    let error = Schedule::parse("* * * * *", "Australia/Sidney").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`Australia/Sidney` is not a time zone"),
        "{error}"
    );
}
