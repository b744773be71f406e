//! Schedules in words, as App Engine's cron has them and Cloud Scheduler still takes them.
//!
//! `every 5 minutes`, `every 12 hours from 00:00 to 12:00`, `every 2 hours synchronized`, `every monday 09:00`,
//! `1st,third monday of month 17:00`, `1,15 of jan,july 00:00`. They become cron patterns, but for intervals without a
//! beginning: those are counted from the Unix epoch.

use std::iter::Peekable;

use jiff::SignedDuration;

use super::Times;
use super::calendar::Calendar;
use super::cron;
use super::error::ScheduleError;
use super::pattern::pattern;

const ORDINALS: [(&str, &str); 5] = [
    ("1st", "first"),
    ("2nd", "second"),
    ("3rd", "third"),
    ("4th", "fourth"),
    ("5th", "fifth"),
];
const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const MINUTES_A_DAY: u32 = 24 * 60;
/// The longest interval, in minutes: a year.
const LONGEST_INTERVAL: u32 = 366 * MINUTES_A_DAY;

/// Whether `text` is meant to be a sentence.
pub(super) fn is_sentence(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    let is_ordinal = first
        .split(',')
        .next()
        .is_some_and(|word| ordinal(word).is_some());
    first == "every" || is_ordinal || words.any(|word| word.eq_ignore_ascii_case("of"))
}

/// Reads a sentence.
pub(super) fn parse(text: &str) -> Result<Times, ScheduleError> {
    let text = text.to_ascii_lowercase();
    let mut words = Words(text.split_ascii_whitespace().peekable());
    let times = if words.take("every") {
        match words.number() {
            Some(number) => interval(number, &mut words)?,
            None => weekdays("", &mut words)?,
        }
    } else if let Some(days) = words.days_of_month() {
        words.expect("of", "`of`")?;
        let months = months(&mut words)?;
        fixed(&mut words, &days, &months, "*")?
    } else {
        let word = words.next("`every`, an ordinal such as `1st`, or days of a month")?;
        weekdays(word, &mut words)?
    };
    words.end()?;
    Ok(times)
}

/// `N hours|minutes [from T to T] [synchronized]`.
fn interval(number: u32, words: &mut Words<'_>) -> Result<Times, ScheduleError> {
    let unit = match words.next("`hours` or `minutes`")? {
        "hours" | "hour" => 60,
        "minutes" | "minute" | "mins" | "min" => 1,
        found => return Err(unexpected(found, "`hours` or `minutes`")),
    };
    let step = number.checked_mul(unit);
    let step = step.filter(|step| (1..=LONGEST_INTERVAL).contains(step));
    let step =
        step.ok_or_else(|| unexpected(&number.to_string(), "a number from 1 to a year's"))?;
    let span = if words.take("from") {
        let from = words.time()?;
        words.expect("to", "`to`")?;
        let to = words.time()?;
        words.take("synchronized");
        Some((from, to))
    } else if words.take("synchronized") {
        Some((0, MINUTES_A_DAY - 1))
    } else {
        None
    };
    match span {
        None => Ok(Times::Interval(SignedDuration::from_mins(step.into()))),
        Some((from, to)) => times_of_day(from, to, step),
    }
}

/// From `from` to `to`, perhaps of the next day, every `step` minutes.
fn times_of_day(from: u32, to: u32, step: u32) -> Result<Times, ScheduleError> {
    let to = if to < from { to + MINUTES_A_DAY } else { to };
    let times = (from..=to).step_by(step as usize);
    let mut minutes = vec![Vec::new(); 24];
    for time in times {
        let time = time % MINUTES_A_DAY;
        minutes[(time / 60) as usize].push((time % 60).to_string());
    }
    let patterns = minutes.iter().enumerate();
    let patterns = patterns
        .filter(|(_, minutes)| !minutes.is_empty())
        .map(|(hour, minutes)| pattern(&format!("{} {hour} * * *", minutes.join(","))));
    let patterns = patterns.collect::<Result<_, _>>()?;
    Ok(Times::Calendar(Calendar::new(patterns, true)))
}

/// `DAYS [of MONTHS] T`, with `ordinals` before it.
fn weekdays(ordinals: &str, words: &mut Words<'_>) -> Result<Times, ScheduleError> {
    let what = "a day such as `monday` or `day`";
    let mut numbers = Vec::new();
    for word in ordinals.split(',').filter(|word| !word.is_empty()) {
        let number = ordinal(word).ok_or_else(|| unexpected(word, "an ordinal such as `1st`"))?;
        numbers.push(number);
    }
    let mut days = Vec::new();
    for word in words.next(what)?.split(',') {
        match position(&WEEKDAYS, word) {
            Some(day) => days.push(day),
            None if word == "day" => days.extend(0..7),
            None => return Err(unexpected(word, what)),
        }
    }
    let months = if words.take("of") {
        months(words)?
    } else {
        "*".to_owned()
    };
    let days: Vec<String> = match numbers.as_slice() {
        [] => days.iter().map(ToString::to_string).collect(),
        numbers => days
            .iter()
            .flat_map(|day| numbers.iter().map(move |number| format!("{day}#{number}")))
            .collect(),
    };
    fixed(words, "*", &months, &days.join(","))
}

/// One time on days of a month or of the week.
fn fixed(
    words: &mut Words<'_>,
    days: &str,
    months: &str,
    weekdays: &str,
) -> Result<Times, ScheduleError> {
    let time = words.time()?;
    let (hour, minute) = (time / 60, time % 60);
    if weekdays == "*" {
        // Days that no month has are refused there.
        return cron::parse(&format!("{minute} {hour} {days} {months} *")).map(Times::Calendar);
    }
    let pattern = pattern(&format!("{minute} {hour} {days} {months} {weekdays}"))?;
    Ok(Times::Calendar(Calendar::new(vec![pattern], false)))
}

fn months(words: &mut Words<'_>) -> Result<String, ScheduleError> {
    let what = "a month such as `march`, or `month`";
    let word = words.next(what)?;
    if word == "month" {
        return Ok("*".to_owned());
    }
    let mut months = Vec::new();
    for word in word.split(',') {
        let month = position(&MONTHS, word).ok_or_else(|| unexpected(word, what))?;
        months.push((month + 1).to_string());
    }
    Ok(months.join(","))
}

/// The place of `word` among `names`, in full or by its first three letters.
fn position(names: &[&str], word: &str) -> Option<usize> {
    names
        .iter()
        .position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))
}

fn ordinal(word: &str) -> Option<usize> {
    let index = ORDINALS
        .iter()
        .position(|(short, long)| *short == word || *long == word)?;
    Some(index + 1)
}

fn unexpected(found: &str, expected: &'static str) -> ScheduleError {
    ScheduleError::Sentence {
        found: found.to_owned(),
        expected,
    }
}

/// What is left of a sentence.
struct Words<'a>(Peekable<std::str::SplitAsciiWhitespace<'a>>);

impl<'a> Words<'a> {
    fn next(&mut self, expected: &'static str) -> Result<&'a str, ScheduleError> {
        self.0.next().ok_or(ScheduleError::Unfinished(expected))
    }

    /// Whether the next word is `word`, which is then taken.
    fn take(&mut self, word: &str) -> bool {
        self.0.next_if(|next| *next == word).is_some()
    }

    fn expect(&mut self, word: &str, expected: &'static str) -> Result<(), ScheduleError> {
        match self.next(expected)? {
            found if found == word => Ok(()),
            found => Err(unexpected(found, expected)),
        }
    }

    fn number(&mut self) -> Option<u32> {
        let number = self.0.peek()?.parse().ok()?;
        self.0.next();
        Some(number)
    }

    /// Days such as `1,15`, if they come next.
    fn days_of_month(&mut self) -> Option<String> {
        let is_list = |word: &&str| {
            word.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',')
        };
        self.0.next_if(|word| is_list(word)).map(str::to_owned)
    }

    /// `HH:MM` as minutes since midnight.
    fn time(&mut self) -> Result<u32, ScheduleError> {
        let what = "a time of day such as `09:00`";
        let word = self.next(what)?;
        let parts = word.split_once(':').filter(|(hour, minute)| {
            let is_short = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            (1..=2).contains(&hour.len()) && minute.len() == 2 && is_short(hour) && is_short(minute)
        });
        let parts = parts.and_then(|(hour, minute)| {
            Some((hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?))
        });
        match parts {
            Some((hour @ 0..=23, minute @ 0..=59)) => Ok(hour * 60 + minute),
            _ => Err(unexpected(word, what)),
        }
    }

    fn end(&mut self) -> Result<(), ScheduleError> {
        match self.0.next() {
            None => Ok(()),
            Some(found) => Err(unexpected(found, "the end")),
        }
    }
}
