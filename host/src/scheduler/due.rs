//! What is to be done with due times: run, skip, or count as missed.

use jiff::{SignedDuration, Timestamp};

use super::Schedule;
use crate::store::{CatchUp, Going, KEPT_RUNS, Overlap};

/// A due time that is noticed later than this came while no host served, or the clock was set.
pub(super) const GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How far back missed times are first looked for; as long as there are too few, twice as far.
const FIRST_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// How many due times are looked at: as many as are kept of a job, and one that shows that there are more.
const MOST: usize = KEPT_RUNS + 1;

/// What is to be done with a due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is on time.
    Run,
    /// It is late, and is run all the same.
    CatchUp,
    /// It is late, and is not run.
    Missed,
}

/// The due times after `after` and up to `now`, oldest first, with what is to be done with each. Those that are missed come
/// before all others. Of a long time only the latest are returned, [`MOST`] of them, and whether those are all.
pub(super) fn due(
    schedule: &Schedule,
    after: Timestamp,
    now: Timestamp,
    catch_up: CatchUp,
) -> (Vec<(Timestamp, Verdict)>, bool) {
    let (times, are_all) = latest(schedule, after, now);
    let last = times.last().copied();
    // That there are more than can be run is told by the first that is not.
    let one_too_many = times.first().copied().filter(|_| times.len() == MOST);
    let verdict = |time: Timestamp| {
        let is_late = now.duration_since(time) > GRACE;
        match catch_up {
            _ if Some(time) == one_too_many => Verdict::Missed,
            _ if !is_late && Some(time) == last => Verdict::Run,
            CatchUp::Last if Some(time) == last => Verdict::CatchUp,
            CatchUp::All if is_late => Verdict::CatchUp,
            CatchUp::None | CatchUp::All if !is_late => Verdict::Run,
            _ => Verdict::Missed,
        }
    };
    let verdicts = times.iter().map(|time| (*time, verdict(*time))).collect();
    (verdicts, are_all)
}

/// The latest due times after `after` and up to `now`, [`MOST`] at most, and whether those are all.
fn latest(schedule: &Schedule, after: Timestamp, now: Timestamp) -> (Vec<Timestamp>, bool) {
    let mut look = FIRST_LOOK;
    loop {
        let from = now.checked_sub(look).unwrap_or(Timestamp::MIN).max(after);
        let begin = schedule.next_after(from);
        let times = std::iter::successors(begin, |time| schedule.next_after(*time));
        let times: Vec<_> = times.take_while(|time| *time <= now).collect();
        if from == after || times.len() > MOST {
            let more = times.len().saturating_sub(MOST);
            return (times[more..].to_vec(), more == 0);
        }
        look = look.saturating_mul(2);
    }
}

/// What becomes of a run that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It begins.
    Begin,
    /// It waits until those that are going have ended.
    Wait,
    /// It is skipped, for this reason.
    Skip(&'static str),
}

/// What becomes of a run that is due while others of its job are going.
pub(super) fn admit(overlap: Overlap, verdict: Verdict, going: Going) -> Admission {
    let is_free = going == Going::default();
    match overlap {
        _ if is_free => Admission::Begin,
        Overlap::Allow => Admission::Begin,
        // What is caught up is run one after the other; who asks for all wants all.
        _ if verdict == Verdict::CatchUp => Admission::Wait,
        Overlap::Queue if going.waiting == 0 => Admission::Wait,
        Overlap::Queue => Admission::Skip("a run was still going, and another one waited"),
        Overlap::Skip => Admission::Skip("a run was still going"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-24T{text}Z").parse().unwrap()
    }

    fn verdicts(after: &str, now: &str, catch_up: CatchUp) -> Vec<(Timestamp, Verdict)> {
        let hourly = Schedule::parse("0 * * * *", "Etc/UTC").unwrap();
        let (verdicts, are_all) = due(&hourly, at(after), at(now), catch_up);
        assert!(are_all);
        verdicts
    }

    #[test]
    fn a_time_that_is_noticed_soon_is_run_whatever_the_rule() {
        for catch_up in [CatchUp::Last, CatchUp::None, CatchUp::All] {
            for now in ["10:00:00", "10:00:00.5", "10:00:30"] {
                let expected = [(at("10:00:00"), Verdict::Run)];
                assert_eq!(verdicts("09:30:00", now, catch_up), expected);
            }
        }
    }

    #[test]
    fn after_downtime_the_latest_is_run_or_none_or_all() {
        let times = ["10:00:00", "11:00:00", "12:00:00"].map(at);
        for (catch_up, expected) in [
            (
                CatchUp::Last,
                [Verdict::Missed, Verdict::Missed, Verdict::CatchUp],
            ),
            (CatchUp::None, [Verdict::Missed; 3]),
            (CatchUp::All, [Verdict::CatchUp; 3]),
        ] {
            let expected: Vec<_> = times.into_iter().zip(expected).collect();
            assert_eq!(verdicts("09:00:00", "12:30:00", catch_up), expected);
        }
    }

    #[test]
    fn downtime_that_ends_on_time_leaves_the_present_run_on_time() {
        for (catch_up, before) in [
            (CatchUp::Last, Verdict::Missed),
            (CatchUp::None, Verdict::Missed),
            (CatchUp::All, Verdict::CatchUp),
        ] {
            let expected = [(at("11:00:00"), before), (at("12:00:00"), Verdict::Run)];
            assert_eq!(verdicts("10:00:00", "12:00:02", catch_up), expected);
        }
    }

    #[test]
    fn of_years_the_latest_hundred_are_told_at_once_and_one_that_is_not_run() {
        for text in ["* * * * *", "0 * * * *", "0 0 * * *", "0 0 1 * *"] {
            let schedule = Schedule::parse(text, "Australia/Sydney").unwrap();
            let now: Timestamp = "2026-11-24T12:30:00Z".parse().unwrap();
            let after = "1990-01-01T00:00:00Z".parse().unwrap();
            let begun = std::time::Instant::now();
            let (found, are_all) = due(&schedule, after, now, CatchUp::All);
            assert!(!are_all);
            assert!(
                begun.elapsed().as_secs() < 2,
                "{text}: {:?}",
                begun.elapsed()
            );
            assert_eq!(found.len(), 101);
            assert_eq!(found[0].1, Verdict::Missed);
            assert!(
                found[1..]
                    .iter()
                    .all(|(_, verdict)| *verdict != Verdict::Missed)
            );
            let mut expected = schedule.next_after(found[0].0);
            for (time, _) in &found[1..] {
                assert_eq!(Some(*time), expected);
                expected = schedule.next_after(*time);
            }
            assert!(expected.unwrap() > now);
        }
    }

    #[test]
    fn nothing_is_due_in_a_time_that_has_been_decided() {
        assert_eq!(verdicts("10:00:00", "10:30:00", CatchUp::All), []);
        assert_eq!(verdicts("12:30:00", "10:30:00", CatchUp::All), []);
    }

    #[test]
    fn runs_do_not_overlap_unless_they_may() {
        let free = Going::default();
        let going = Going {
            running: 1,
            waiting: 0,
        };
        let full = Going {
            running: 1,
            waiting: 1,
        };
        let skipped = |admission| matches!(admission, Admission::Skip(_));
        for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Allow] {
            assert_eq!(admit(overlap, Verdict::Run, free), Admission::Begin);
        }
        assert!(skipped(admit(Overlap::Skip, Verdict::Run, going)));
        assert_eq!(admit(Overlap::Queue, Verdict::Run, going), Admission::Wait);
        assert!(skipped(admit(Overlap::Queue, Verdict::Run, full)));
        assert_eq!(admit(Overlap::Allow, Verdict::Run, full), Admission::Begin);
        assert_eq!(
            admit(Overlap::Skip, Verdict::CatchUp, full),
            Admission::Wait
        );
    }
}
