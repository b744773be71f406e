//! Which due times of a job have not been decided.
//!
//! As long as clocks go on these are all that come after the last one that was. A clock that is set back shows times again:
//! of these the ones that were passed over, with nothing tried, are undecided again, and the others are done. What was passed
//! over and does not come on time is passed over once more: the clock that showed it was wrong, and is right again.

use jiff::{SignedDuration, Timestamp};

use super::Schedule;
use super::due::GRACE;
use crate::store::Span;

/// The shortest time that the store tells apart.
const MOMENT: SignedDuration = SignedDuration::from_micros(1);

/// Up to when due times have been decided, and those before that were passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Undecided {
    decided: Option<Timestamp>,
    /// In their order, and apart.
    passed: Vec<Span>,
}

impl Undecided {
    pub(super) fn new(decided: Option<Timestamp>, passed: Vec<Span>) -> Self {
        Self { decided, passed }
    }

    /// Of a job whose first due time is `first`: all before was passed over.
    pub(super) fn before_first(first: Timestamp) -> Self {
        let last = before(first);
        let mut undecided = Self::new(Some(last), Vec::new());
        undecided.pass(Span {
            first: Timestamp::UNIX_EPOCH,
            last,
        });
        undecided
    }

    /// The spans that were passed over.
    pub(super) fn passed(&self) -> &[Span] {
        &self.passed
    }

    /// The first undecided time after `after`.
    pub(super) fn next_after(&self, schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
        for span in self.passed.iter().filter(|span| span.last > after) {
            let next = schedule.next_after(after.max(before(span.first)))?;
            if next <= span.last {
                return Some(next);
            }
        }
        schedule.next_after(self.decided.map_or(after, |decided| decided.max(after)))
    }

    /// What is undecided from `first` to `now`, in its order. Of what was passed over only that which is on time.
    pub(super) fn parts(&self, first: Timestamp, now: Timestamp) -> Vec<Span> {
        let rest = Span {
            first: self.decided.map_or(first, |decided| decided + MOMENT),
            last: now,
        };
        let earliest = on_time_since(now);
        let on_time = self.passed.iter().map(|span| Span {
            first: span.first.max(earliest),
            last: span.last,
        });
        let all = on_time.chain([rest]);
        let within = all.map(|span| Span {
            first: span.first.max(first),
            last: span.last.min(now),
        });
        within.filter(|span| span.first <= span.last).collect()
    }

    /// Passes `span` over.
    pub(super) fn pass(&mut self, span: Span) {
        let Span {
            mut first,
            mut last,
        } = span;
        if first > last {
            return;
        }
        self.passed.retain(|other| {
            let is_apart = other.last < before(first) || other.first > after(last);
            if !is_apart {
                first = first.min(other.first);
                last = last.max(other.last);
            }
            is_apart
        });
        let place = self.passed.partition_point(|other| other.first < first);
        self.passed.insert(place, Span { first, last });
    }

    /// Passes over `times`, which are due times in their order. Those that follow each other become one span.
    pub(super) fn pass_times(&mut self, schedule: &Schedule, times: &[Timestamp]) {
        let mut rest = times.iter().copied();
        let Some(first) = rest.next() else {
            return;
        };
        let mut span = Span { first, last: first };
        for time in rest {
            if schedule.next_after(span.last) != Some(time) {
                self.pass(span);
                span.first = time;
            }
            span.last = time;
        }
        self.pass(span);
    }

    /// Takes the [`parts`](Self::parts) between `first` and `now` for decided.
    pub(super) fn decide(&mut self, first: Timestamp, now: Timestamp) {
        let first = first.max(on_time_since(now));
        let spans = std::mem::take(&mut self.passed);
        for span in spans {
            let parts = [
                Span {
                    first: span.first,
                    last: span.last.min(before(first)),
                },
                Span {
                    first: span.first.max(after(now)),
                    last: span.last,
                },
            ];
            self.passed
                .extend(parts.into_iter().filter(|part| part.first <= part.last));
        }
        self.decided = Some(self.decided.map_or(now, |decided| decided.max(now)));
    }
}

/// The first time that is still on time at `now`.
fn on_time_since(now: Timestamp) -> Timestamp {
    now.checked_sub(GRACE).unwrap_or(Timestamp::MIN)
}

/// The last moment before `time`.
pub(super) fn before(time: Timestamp) -> Timestamp {
    time.checked_sub(MOMENT).unwrap_or(Timestamp::MIN)
}

fn after(time: Timestamp) -> Timestamp {
    time.checked_add(MOMENT).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-24T{text}:00Z").parse().unwrap()
    }

    fn span(first: &str, last: &str) -> Span {
        Span {
            first: at(first),
            last: at(last),
        }
    }

    fn hourly() -> Schedule {
        Schedule::parse("0 * * * *", "Etc/UTC").unwrap()
    }

    fn undecided(decided: &str, passed: &[(&str, &str)]) -> Undecided {
        let passed = passed.iter().map(|(first, last)| span(first, last));
        Undecided::new(Some(at(decided)), passed.collect())
    }

    /// All that is undecided after `after` and before the next day.
    fn times(undecided: &Undecided, after: &str) -> Vec<String> {
        let hourly = hourly();
        let next = |time: &Timestamp| undecided.next_after(&hourly, *time);
        let times = std::iter::successors(next(&at(after)), next);
        times
            .map(|time| time.to_string()[11..16].to_owned())
            .take_while(|time| time != "00:00")
            .collect()
    }

    #[test]
    fn nothing_that_was_decided_comes_again_and_what_was_passed_over_does() {
        let undecided = undecided("20:00", &[("11:30", "13:30"), ("16:00", "16:00")]);
        let expected = ["12:00", "13:00", "16:00", "21:00", "22:00", "23:00"];
        assert_eq!(times(&undecided, "10:00"), expected);
        assert_eq!(times(&undecided, "12:00"), expected[1..]);
        assert_eq!(times(&undecided, "16:00"), expected[3..]);
        assert_eq!(times(&undecided, "21:30"), expected[4..]);
        let fresh = Undecided::default();
        assert_eq!(times(&fresh, "21:30"), expected[4..]);
    }

    #[test]
    fn a_schedule_that_skips_a_span_is_due_after_it() {
        let daily = Schedule::parse("0 12 * * *", "Etc/UTC").unwrap();
        let undecided = undecided("20:00", &[("09:00", "11:00"), ("11:30", "12:30")]);
        assert_eq!(undecided.next_after(&daily, at("08:00")), Some(at("12:00")));
        let tomorrow = "2026-11-25T12:00:00Z".parse().unwrap();
        assert_eq!(undecided.next_after(&daily, at("12:00")), Some(tomorrow));
    }

    #[test]
    fn parts_are_those_that_are_undecided() {
        let undecided = undecided("20:00", &[("11:30", "13:30"), ("16:00", "16:00")]);
        let rest = Span {
            first: at("20:00") + MOMENT,
            last: at("22:00"),
        };
        assert_eq!(undecided.parts(at("12:00"), at("22:00")), [rest]);
        assert_eq!(
            undecided.parts(at("16:00"), at("16:00")),
            [span("16:00", "16:00")]
        );
        assert_eq!(undecided.parts(at("14:00"), at("15:00")), []);
    }

    #[test]
    fn what_was_passed_over_and_is_late_is_no_part_and_stays_undecided() {
        let mut undecided = undecided("20:00", &[("11:30", "13:30")]);
        let on_time = Span {
            first: at("12:59") + SignedDuration::from_secs(30),
            last: at("13:00"),
        };
        assert_eq!(undecided.parts(at("12:00"), at("13:00")), [on_time]);
        assert_eq!(
            undecided.parts(at("13:00"), at("13:00")),
            [span("13:00", "13:00")]
        );
        undecided.decide(at("12:00"), at("13:00"));
        let earlier = Span {
            first: at("11:30"),
            last: before(on_time.first),
        };
        let later = Span {
            first: after(at("13:00")),
            last: at("13:30"),
        };
        assert_eq!(undecided.passed(), [earlier, later]);
    }

    #[test]
    fn spans_that_meet_become_one_and_what_is_decided_is_cut_out() {
        let mut undecided = undecided("20:00", &[("11:00", "12:00"), ("16:00", "17:00")]);
        undecided.pass(span("11:30", "13:00"));
        undecided.pass(span("14:00", "15:00"));
        let three = [
            span("11:00", "13:00"),
            span("14:00", "15:00"),
            span("16:00", "17:00"),
        ];
        assert_eq!(undecided.passed(), three);
        undecided.decide(at("16:30"), at("16:30"));
        let early = Span {
            first: at("16:00"),
            last: before(at("16:30")),
        };
        let rest = Span {
            first: after(at("16:30")),
            last: at("17:00"),
        };
        assert_eq!(undecided.passed()[2..], [early, rest]);
        undecided.pass(span("10:00", "22:00"));
        assert_eq!(undecided.passed(), [span("10:00", "22:00")]);
    }

    #[test]
    fn times_that_follow_each_other_become_one_span() {
        let mut undecided = undecided("20:00", &[]);
        let times = ["11:00", "12:00", "14:00", "16:00", "17:00"].map(at);
        undecided.pass_times(&hourly(), &times);
        assert_eq!(
            undecided.passed(),
            [
                span("11:00", "12:00"),
                span("14:00", "14:00"),
                span("16:00", "17:00")
            ]
        );
    }
}
