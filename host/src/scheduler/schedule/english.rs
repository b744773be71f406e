//! Schedules in words, as App Engine's cron has them and Cloud Scheduler still takes them.
//!
//! `every 5 minutes`, `every 12 hours from 00:00 to 12:00`, `every 2 hours synchronized`, `every monday 09:00`,
//! `1st,third monday of month 17:00`, `5th day of quarter 09:00`, `1,15 of jan,july 00:00`,
//! `1 of first month of quarter 00:00`. They become cron patterns, but for intervals without a beginning: those are counted
//! from the Unix epoch.
//!
//! Beyond Google's own parser, case does not count, a unit may be singular, and `synchronized` may follow a span.

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
    let text = text.to_ascii_lowercase();
    let mut words = words(&text);
    let first = words.next().unwrap_or_default();
    first == "every" || ordinal(first).is_some() || words.any(|word| word == "of")
}

/// Reads a sentence.
pub(super) fn parse(text: &str) -> Result<Times, ScheduleError> {
    let text = text.to_ascii_lowercase();
    let mut words = Words::new(&text);
    let times = if words.take("every") {
        match words.number() {
            Some(number) => interval(number, &mut words)?,
            None => {
                let days = weekdays(&mut words)?;
                let months = months(&mut words)?;
                fixed(&mut words, "*", &months, &numbers(&days))?
            }
        }
    } else if words.next_is_number() {
        let days = words.list("a day of the month such as `15`", |word| word.parse().ok())?;
        words.expect_next("of", "`of`")?;
        let months = months(&mut words)?;
        fixed(&mut words, &numbers(&days), &months, "*")?
    } else {
        let what = "`every`, an ordinal such as `1st`, or days of a month";
        let ordinals = words.list(what, ordinal)?;
        if words.take("day") {
            // A day of the month, not all days of a week of it.
            let months = months(&mut words)?;
            fixed(&mut words, &numbers(&ordinals), &months, "*")?
        } else {
            let days = weekdays(&mut words)?;
            let months = months(&mut words)?;
            let days = days
                .iter()
                .flat_map(|day| ordinals.iter().map(move |nth| format!("{day}#{nth}")));
            let days: Vec<_> = days.collect();
            fixed(&mut words, "*", &months, &days.join(","))?
        }
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
    let mut span = None;
    if words.take("from") {
        let from = words.time()?;
        words.expect("to", "`to`")?;
        span = Some((from, words.time()?));
    }
    if words.take("synchronized") {
        if !MINUTES_A_DAY.is_multiple_of(step) {
            return Err(ScheduleError::Unsynchronized { minutes: step });
        }
        span = span.or(Some((0, MINUTES_A_DAY - 1)));
    }
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
    // One time a day is a fixed time, which no change of clocks takes away.
    let is_fixed = (to - from) / step == 0;
    Ok(Times::Calendar(Calendar::new(patterns, !is_fixed)))
}

/// `day`, or days of the week, by cron's numbers.
fn weekdays(words: &mut Words<'_>) -> Result<Vec<u32>, ScheduleError> {
    if words.take("day") {
        return Ok((0..7).collect());
    }
    words.list("a day such as `monday` or `day`", |word| {
        position(&WEEKDAYS, word)
    })
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

/// `[of MONTHS]`, where the months are `month`, `quarter`, their names, or `first,second,third month of quarter`.
fn months(words: &mut Words<'_>) -> Result<String, ScheduleError> {
    if !words.take("of") || words.take("month") {
        return Ok("*".to_owned());
    }
    if words.take("quarter") {
        return Ok(of_quarter(&[1]));
    }
    if words.next_is_ordinal() {
        let what = "a month of a quarter: `first`, `second` or `third`";
        let months = words.list(what, |word| ordinal(word).filter(|month| *month <= 3))?;
        words.expect("month", "`month of quarter`")?;
        words.expect("of", "`of quarter`")?;
        words.expect("quarter", "`quarter`")?;
        return Ok(of_quarter(&months));
    }
    let what = "a month such as `march`, `month`, or `quarter`";
    let months = words.list(what, |word| Some(position(&MONTHS, word)? + 1))?;
    Ok(numbers(&months))
}

/// The months of every quarter, each of which has three.
fn of_quarter(months: &[u32]) -> String {
    let months = (0..12)
        .step_by(3)
        .flat_map(|quarter| months.iter().map(move |month| quarter + month));
    numbers(&months.collect::<Vec<_>>())
}

fn numbers(numbers: &[u32]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(",")
}

/// The place of `word` among `names`, in full or by its first three letters.
fn position(names: &[&str], word: &str) -> Option<u32> {
    let is_it = |name: &&str| *name == word || (word.len() == 3 && name.starts_with(word));
    let index = names.iter().position(is_it)?;
    // There are twelve at most.
    Some(index as u32)
}

fn ordinal(word: &str) -> Option<u32> {
    let is_it = |(short, long): &(&str, &str)| *short == word || *long == word;
    let index = ORDINALS.iter().position(is_it)?;
    // There are five.
    Some(index as u32 + 1)
}

fn unexpected(found: &str, expected: &'static str) -> ScheduleError {
    ScheduleError::Sentence {
        found: found.to_owned(),
        expected,
    }
}

/// The words of a sentence, and its commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace()
        .flat_map(|word| word.split_inclusive(','))
        .flat_map(|word| match word.strip_suffix(',') {
            Some("") => [",", ""],
            Some(word) => [word, ","],
            None => [word, ""],
        })
        .filter(|word| !word.is_empty())
}

/// What is left of a sentence.
struct Words<'a>(Peekable<std::vec::IntoIter<&'a str>>);

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self(words(text).collect::<Vec<_>>().into_iter().peekable())
    }

    fn next(&mut self, expected: &'static str) -> Result<&'a str, ScheduleError> {
        self.0.next().ok_or(ScheduleError::Unfinished(expected))
    }

    /// Whether the next word is `word`, which is then taken.
    fn take(&mut self, word: &str) -> bool {
        self.0.next_if(|next| *next == word).is_some()
    }

    fn next_is_number(&mut self) -> bool {
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        self.0.peek().is_some_and(is_number)
    }

    fn next_is_ordinal(&mut self) -> bool {
        self.0.peek().is_some_and(|word| ordinal(word).is_some())
    }

    /// One or more of what `read` reads, with commas between.
    fn list(
        &mut self,
        expected: &'static str,
        read: impl Fn(&str) -> Option<u32>,
    ) -> Result<Vec<u32>, ScheduleError> {
        let mut list = Vec::new();
        loop {
            let word = self.next(expected)?;
            list.push(read(word).ok_or_else(|| unexpected(word, expected))?);
            if !self.take(",") {
                return Ok(list);
            }
        }
    }

    fn expect(&mut self, word: &str, expected: &'static str) -> Result<(), ScheduleError> {
        match self.next(expected)? {
            found if found == word => Ok(()),
            found => Err(unexpected(found, expected)),
        }
    }

    /// Makes sure that the next word is `word`, and leaves it.
    fn expect_next(&mut self, word: &str, expected: &'static str) -> Result<(), ScheduleError> {
        match self.0.peek() {
            Some(found) if *found == word => Ok(()),
            Some(found) => Err(unexpected(found, expected)),
            None => Err(ScheduleError::Unfinished(expected)),
        }
    }

    fn number(&mut self) -> Option<u32> {
        let number = self.0.peek()?.parse().ok()?;
        self.0.next();
        Some(number)
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
