//! How many attempts may be under way: in all, and of one kind.
//!
//! What hangs keeps its places until its deadline. So that others still begin at once, one job has no more than
//! [`MOST_OF_A_JOB`], and the attempts at one URL no more than a share, which is the smaller the fewer places are free: whoever
//! comes last still finds some. Those at one server, whatever the path, have twice that share.

use std::collections::{BTreeSet, HashMap};

use super::{Job, Target};
use crate::store::JobId;

/// Attempts of one job at once.
pub(super) const MOST_OF_A_JOB: usize = 256;
/// The smallest share, as long as there are places at all.
const LEAST: usize = 16;

/// What an attempt takes a place of, by its kind: that it belongs to a job, calls a URL, and calls a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keepers([String; 3]);

impl Keepers {
    pub(super) fn of(id: JobId, job: &Job) -> Self {
        let Target { uri, .. } = &job.target;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let server = format!("{scheme}://{}", authority.to_ascii_lowercase());
        let url = format!("{server}{}", uri.path());
        Self([format!("job {id}"), format!("url {url}"), server])
    }
}

/// The places that there are.
#[derive(Debug)]
pub(super) struct Places {
    all: usize,
    free: usize,
    going: HashMap<String, usize>,
    /// Those that runs wait for.
    awaited: BTreeSet<String>,
}

impl Places {
    /// So many in all.
    pub(super) fn new(all: usize) -> Self {
        Self {
            all,
            free: all,
            going: HashMap::new(),
            awaited: BTreeSet::new(),
        }
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.free
    }

    /// The first of `keepers` that has no place.
    pub(super) fn full<'a>(&self, keepers: &'a Keepers) -> Option<&'a str> {
        let full = keepers.0.iter().find(|keeper| self.room(keeper) == 0);
        full.map(String::as_str)
    }

    /// Takes a place, of which there is one.
    pub(super) fn take(&mut self, keepers: &Keepers) {
        self.free -= 1;
        for keeper in &keepers.0 {
            *self.going.entry(keeper.clone()).or_default() += 1;
        }
    }

    /// Gives one back.
    pub(super) fn give_back(&mut self, keepers: &Keepers) {
        self.free += 1;
        for keeper in &keepers.0 {
            if let Some(going) = self.going.get_mut(keeper) {
                *going -= 1;
                if *going == 0 {
                    self.going.remove(keeper);
                }
            }
        }
    }

    /// Notes that runs wait for a place with `keeper`.
    pub(super) fn await_place(&mut self, keeper: &str) {
        if !self.awaited.contains(keeper) {
            self.awaited.insert(keeper.to_owned());
        }
    }

    /// Notes that none does.
    pub(super) fn forget(&mut self, keeper: &str) {
        self.awaited.remove(keeper);
    }

    /// Those that runs wait for and that have room, with how much.
    pub(super) fn open(&self) -> Vec<(String, usize)> {
        let awaited = self.awaited.iter();
        let open = awaited.map(|keeper| (keeper.clone(), self.room(keeper).min(self.free)));
        open.filter(|(_, room)| *room > 0).collect()
    }

    /// How many more places `keeper` may take.
    fn room(&self, keeper: &str) -> usize {
        let most = match keeper {
            keeper if keeper.starts_with("job ") => MOST_OF_A_JOB,
            keeper if keeper.starts_with("url ") => self.share(),
            _ => self.share().saturating_mul(2),
        };
        most.saturating_sub(self.going.get(keeper).copied().unwrap_or(0))
    }

    /// What a URL may have: a quarter of all places while half of them are free, a sixteenth while a quarter is.
    fn share(&self) -> usize {
        let part = match self.free {
            free if free > self.all / 2 => 4,
            free if free > self.all / 4 => 16,
            _ => 128,
        };
        (self.all / part).max(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::JobSettings;

    fn keepers(job: JobId, uri: &str) -> Keepers {
        let settings = JobSettings {
            schedule: "* * * * *".into(),
            uri: uri.into(),
            ..JobSettings::default()
        };
        Keepers::of(job, &Job::read(&settings).unwrap())
    }

    /// Takes places until there are none for these, and tells how many there were.
    fn fill(places: &mut Places, mut next: impl FnMut(JobId) -> Keepers) -> usize {
        for taken in 0.. {
            let keepers = next(taken as JobId);
            if places.free() == 0 || places.full(&keepers).is_some() {
                return taken;
            }
            places.take(&keepers);
        }
        unreachable!()
    }

    #[test]
    fn queries_and_the_case_of_a_name_make_no_other_target() {
        let one = keepers(1, "http://A.example:80/x?a=1");
        assert_eq!(one, keepers(1, "http://a.example:80/x?a=2"));
        assert_ne!(one, keepers(1, "http://a.example:80/y"));
        assert_ne!(one, keepers(2, "http://a.example:80/x"));
    }

    #[test]
    fn a_job_has_its_share_and_no_more() {
        let mut places = Places::new(4_096);
        assert_eq!(
            fill(&mut places, |_| keepers(1, "http://a/")),
            MOST_OF_A_JOB
        );
        let other = keepers(2, "http://a/");
        assert_eq!(places.full(&other), None);
    }

    #[test]
    fn a_thousand_jobs_may_call_one_target_at_once() {
        let mut places = Places::new(4_096);
        let taken = fill(&mut places, |job| keepers(job, "http://a/"));
        assert_eq!(taken, 1_024);
        assert!(places.full(&keepers(-1, "http://a/other")).is_none());
    }

    #[test]
    fn where_many_targets_hang_another_one_is_called() {
        for uri in ["http://hangs-TARGET/", "http://hangs-TARGET/JOB"] {
            let mut places = Places::new(4_096);
            for target in 0..16 {
                let taken = fill(&mut places, |job| {
                    let uri = uri.replace("TARGET", &target.to_string());
                    keepers(job, &uri.replace("JOB", &job.to_string()))
                });
                assert!(taken >= 32, "{taken}");
            }
            assert!(places.free() > 0);
            assert_eq!(places.full(&keepers(1, "http://other/")), None);
        }
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let mut places = Places::new(4_096);
        let job = keepers(1, "http://a/");
        fill(&mut places, |_| job.clone());
        let full = places.full(&job).unwrap().to_owned();
        places.await_place(&full);
        assert_eq!(places.open(), []);
        places.give_back(&job);
        assert_eq!(places.open(), [(full.clone(), 1)]);
        places.forget(&full);
        assert_eq!(places.open(), []);
        for _ in 1..MOST_OF_A_JOB {
            places.give_back(&job);
        }
        assert_eq!((places.free(), places.going.len()), (4_096, 0));
    }
}
