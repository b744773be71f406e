//! unix-cron: five fields, as Cloud Scheduler and crontab(5) have them, and what people miss there: ranges that go past the
//! end (`FRI-MON`), the last day of the month (`L`) and its last weekday (`LW`), the third Friday (`FRI#3`) and the last
//! (`FRIL`).
//!
//! Each field is read here, so that an error can name it; what comes out is written down as plain lists for the library
//! that does the calendar.

use super::calendar::Calendar;
use super::error::{FieldError, ScheduleError};
use super::pattern::pattern;

/// What stands at each place.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    /// Names of values, the first of which is `least`.
    names: &'static [&'static str],
    /// What may stand there beside values.
    others: Others,
}

/// Days that depend on the month.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    None,
    /// `L` and `LW`.
    Days,
    /// `FRI#3` and `FRIL`.
    Weekdays,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 5] = [
    Field::numbers("minute", 0, 59),
    Field::numbers("hour", 0, 23),
    Field {
        others: Others::Days,
        ..Field::numbers("day of the month", 1, 31)
    },
    Field {
        names: &MONTHS,
        ..Field::numbers("month", 1, 12)
    },
    Field {
        names: &WEEKDAYS,
        others: Others::Weekdays,
        ..Field::numbers("day of the week", 0, 7)
    },
];

/// The most days that each month ever has.
const LONGEST_MONTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The values that a field matches, one bit for each.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Values(u64);

/// What a field matches.
#[derive(Clone, Default)]
struct Matches {
    values: Values,
    /// Days that depend on the month, as the library writes them.
    others: Vec<String>,
}

/// The last day of the month, and its last from Monday to Friday. The library takes only one of them in a list.
const LAST: &str = "L";
const LAST_WEEKDAY: &str = "LW";

impl Values {
    fn has(self, value: u8) -> bool {
        self.0 >> value & 1 == 1
    }
}

/// Reads five fields.
pub(super) fn parse(text: &str) -> Result<Calendar, ScheduleError> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let Ok(fields) = <[&str; 5]>::try_from(fields.as_slice()) else {
        return Err(ScheduleError::Fields(fields.len()));
    };
    let mut found: [Matches; 5] = Default::default();
    for (index, (field, text)) in FIELDS.iter().zip(fields).enumerate() {
        let read = field.matches(text);
        found[index] = read.map_err(|error| ScheduleError::Field {
            name: field.name,
            place: index + 1,
            text: text.to_owned(),
            error,
        })?;
    }
    let [minute, hour, day, month, weekday] = fields;
    // crontab(5): a day matches by either field, unless one of them begins with `*`. As cronie does it, that holds for
    // `*/2` too. A day of the month that begins with `*` has the first, which every month has; and any date comes on any
    // day of the week in some year.
    let has_a_date = !found[2].others.is_empty() || has_a_date(found[2].values, found[3].values);
    if weekday.starts_with('*') && !has_a_date {
        return Err(ScheduleError::NoSuchDate {
            day: day.to_owned(),
            month: month.to_owned(),
            weekday: weekday.to_owned(),
        });
    }
    let both = [day, weekday].iter().any(|field| field.starts_with('*'));
    let mut lists: Vec<String> = (0..5)
        .map(|index| FIELDS[index].list(fields[index], &found[index]))
        .collect();
    if both && day != "*" && weekday != "*" {
        lists[4].insert(0, '+');
    }
    let follows_clock = [minute, hour]
        .iter()
        .any(|field| field.contains(['*', '/']));
    let mut patterns = Vec::with_capacity(2);
    let others = &mut found[2].others;
    if [LAST, LAST_WEEKDAY]
        .iter()
        .all(|last| others.iter().any(|other| other == last))
    {
        others.retain(|other| other != LAST_WEEKDAY);
        let days = std::mem::replace(&mut lists[2], LAST_WEEKDAY.to_owned());
        patterns.push(pattern(&lists.join(" "))?);
        lists[2] = FIELDS[2].list(&days, &found[2]);
    }
    patterns.push(pattern(&lists.join(" "))?);
    Ok(Calendar::new(patterns, follows_clock))
}

/// Whether any of `months` has any of `days`.
fn has_a_date(days: Values, months: Values) -> bool {
    let first = (1..=31).find(|day| days.has(*day)).unwrap_or(32);
    (1..=12).any(|month| months.has(month) && LONGEST_MONTHS[usize::from(month) - 1] >= first)
}

impl Field {
    const fn numbers(name: &'static str, least: u8, most: u8) -> Self {
        Self {
            name,
            least,
            most,
            names: &[],
            others: Others::None,
        }
    }

    /// What `text` lists.
    fn matches(&self, text: &str) -> Result<Matches, FieldError> {
        let mut matches = Matches::default();
        for item in text.split(',') {
            match self.other(item)? {
                Some(other) => matches.others.push(other),
                None => matches.values.0 |= self.item(item)?.0,
            }
        }
        Ok(matches)
    }

    /// A day that depends on the month, as the library writes it.
    fn other(&self, text: &str) -> Result<Option<String>, FieldError> {
        let upper = text.to_ascii_uppercase();
        match self.others {
            Others::None => Ok(None),
            Others::Days => match upper.as_str() {
                LAST | LAST_WEEKDAY => Ok(Some(upper)),
                _ if upper.contains(['L', 'W']) => Err(self.no_value(text)),
                _ => Ok(None),
            },
            Others::Weekdays => {
                if let Some((day, nth)) = upper.split_once('#') {
                    let day = self.value(day)?;
                    return match nth {
                        "1" | "2" | "3" | "4" | "5" => Ok(Some(format!("{day}#{nth}"))),
                        _ => Err(FieldError::Nth(text.to_owned())),
                    };
                }
                match upper.strip_suffix('L') {
                    Some(day) if !day.is_empty() => Ok(Some(format!("{}L", self.value(day)?))),
                    _ => Ok(None),
                }
            }
        }
    }

    /// One of a list: `*`, a value or a range, the first and the last perhaps with a step.
    fn item(&self, text: &str) -> Result<Values, FieldError> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.last()),
            Some((first, last)) => {
                let first = self.value(first)?;
                (first, self.end(first, last)?)
            }
            None if step.is_some() => {
                return Err(FieldError::LoneStep {
                    text: text.to_owned(),
                    hint: format!("{range}-{}", self.last()),
                });
            }
            None => {
                let value = self.value(range)?;
                (value, value)
            }
        };
        let step = match step {
            None => 1,
            Some(step) => self.step(step)?,
        };
        // A range whose end comes first goes on from the least value, as if all months were of 31 days.
        let size = self.last() - self.least + 1;
        let values = match first <= last {
            true => first..=last,
            false => first..=last + size,
        };
        let wrapped = |value| match value > self.most {
            true => value - size,
            false => value,
        };
        let values = values.step_by(step).map(wrapped);
        Ok(Values(values.fold(0, |bits, value| bits | 1 << value)))
    }

    fn value(&self, text: &str) -> Result<u8, FieldError> {
        let is_name = |name: &&str| name.eq_ignore_ascii_case(text);
        if let Some(index) = self.names.iter().position(is_name) {
            // There are twelve at most.
            return Ok(self.least + index as u8);
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(value) if is_number && (self.least..=self.most).contains(&value) => Ok(value),
            _ => Err(self.no_value(text)),
        }
    }

    fn no_value(&self, text: &str) -> FieldError {
        FieldError::Value {
            text: text.to_owned(),
            least: self.least,
            most: self.most,
            names: match self.names {
                [first, .., last] => format!(" or {first} to {last}"),
                _ if self.others == Others::Days => ", L or LW".to_owned(),
                _ => String::new(),
            },
        }
    }

    /// The end of a range. The day that is called Sunday comes after Saturday, unless the range begins with it.
    fn end(&self, first: u8, text: &str) -> Result<u8, FieldError> {
        match self.value(text)? {
            0 if first > 0 && text.eq_ignore_ascii_case(WEEKDAYS[0]) => Ok(7),
            value => Ok(value),
        }
    }

    fn step(&self, text: &str) -> Result<usize, FieldError> {
        let most = self.last();
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(step) if is_number && (1..=usize::from(most)).contains(&step) => Ok(step),
            _ => Err(FieldError::Step {
                text: text.to_owned(),
                most,
            }),
        }
    }

    /// The last value of `*`. Sunday is there once.
    fn last(&self) -> u8 {
        if self.most == 7 { 6 } else { self.most }
    }

    /// `matches` as a list for the library; `*` stays what it is.
    fn list(&self, text: &str, matches: &Matches) -> String {
        if text == "*" {
            return text.to_owned();
        }
        let values = (self.least..=self.most).filter(|value| matches.values.has(*value));
        let values = values.map(|value| value.to_string());
        let values: Vec<_> = values.chain(matches.others.iter().cloned()).collect();
        values.join(",")
    }
}
