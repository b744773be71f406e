/// Why a text is no schedule, or a name no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It has more or fewer fields than cron does.
    #[error(
        "a cron schedule has 5 fields (minute, hour, day of the month, month, day of the week), not {0}; expected one such as \
         `0 * * * *`, or `every 5 minutes`"
    )]
    Fields(usize),
    /// One field is wrong.
    #[error("the {name} (field {place}) is `{text}`: {error}")]
    Field {
        /// What stands there.
        name: &'static str,
        /// Which field, from 1.
        place: usize,
        /// What was found.
        text: String,
        /// What is wrong with it.
        error: FieldError,
    },
    /// No month has the day.
    #[error(
        "it never comes: no month of `{month}` (field 4) has a day of `{day}` (field 3), and the day of the week (field 5) is \
         `{weekday}`, which adds no others"
    )]
    NoSuchDate {
        /// The days.
        day: String,
        /// The months.
        month: String,
        /// The days of the week.
        weekday: String,
    },
    /// A name that is no schedule's.
    #[error("`{0}` is not known; expected @hourly, @daily, @weekly, @monthly or @yearly")]
    Nickname(String),
    /// A sentence that is not finished.
    #[error("it ends where {0} should follow")]
    Unfinished(&'static str),
    /// A sentence that cannot be read.
    #[error(
        "`{found}` stands where {expected} should; expected a schedule such as `every 5 minutes`, `every monday 09:00` or \
         `1st,third monday of month 17:00`"
    )]
    Sentence {
        /// The word.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// An interval that is out of step with the day.
    #[error(
        "every {minutes} minutes is not `synchronized` with the day, which has 1440; expected an interval that divides it, or \
         none of the word"
    )]
    Unsynchronized {
        /// The interval.
        minutes: u32,
    },
    /// It is longer than any schedule need be.
    #[error("it has more than {0} characters")]
    Long(usize),
    /// The library that does the calendar does not agree.
    #[error("{0}")]
    Calendar(String),
    /// There is no such zone.
    #[error(
        "`{0}` is not a time zone; expected a name of the IANA database, such as Australia/Sydney or Etc/UTC"
    )]
    Zone(String),
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A value that is none of the field's.
    #[error("`{text}` is not a value; expected {least} to {most}{names}")]
    Value {
        /// What was found.
        text: String,
        /// The smallest.
        least: u8,
        /// The largest.
        most: u8,
        /// Names that may be used as well.
        names: String,
    },
    /// A day of a week that no month has.
    #[error("`{0}` is not a day of a month; expected #1 to #5, as in `FRI#3`")]
    Nth(String),
    /// A step that the field has no room for.
    #[error("`/{text}` is not a step; expected 1 to {most}")]
    Step {
        /// What was found.
        text: String,
        /// The largest.
        most: u8,
    },
    /// A step after a single value, which other crons read in different ways.
    #[error(
        "a step needs `*` or a range before it; write `{hint}` with the step in place of `{text}`"
    )]
    LoneStep {
        /// What was found.
        text: String,
        /// The range that was probably meant.
        hint: String,
    },
}
