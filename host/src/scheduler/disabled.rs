//! Jobs that cannot run, because their record makes no sense to this program: their zone went out of the database, for
//! instance.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Job;
use crate::store::{JobName, JobRecord, Store, StoreError};

/// Those that have been found, and why. One thread writes, the console reads.
#[derive(Debug, Default)]
pub(super) struct Disabled(Mutex<BTreeMap<JobName, String>>);

/// A job that was found not to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DisabledJob {
    pub(super) name: JobName,
    pub(super) reason: String,
}

/// Why the job `record` cannot run, if it cannot.
pub fn disabled(record: &JobRecord) -> Option<String> {
    // The settings of a damaged record are the defaults, and what is wrong with those says nothing.
    if let Some(damage) = &record.damage {
        return Some(format!("its record cannot be read: {damage}"));
    }
    let error = Job::read(&record.settings).err();
    error.map(|error| error.to_string())
}

impl Disabled {
    /// Adds those that were found `anew`, and tells which ones are news.
    pub(super) fn add(&self, anew: Vec<DisabledJob>) -> Vec<DisabledJob> {
        let mut found = self.lock();
        let is_news = |job: &DisabledJob| {
            let before = found.insert(job.name.clone(), job.reason.clone());
            before.as_ref() != Some(&job.reason)
        };
        anew.into_iter().filter(is_news).collect()
    }

    /// Forgets those that can run by now, are paused, or are gone.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) fn look_again(&self, store: &Store) -> Result<(), StoreError> {
        let names: Vec<_> = self.lock().keys().cloned().collect();
        for name in names {
            let is_disabled = match store.job(&name) {
                Ok(record) => !record.is_paused && disabled(&record).is_some(),
                Err(StoreError::NoJob { .. }) => false,
                Err(error) => return Err(error),
            };
            if !is_disabled {
                self.lock().remove(&name);
            }
        }
        Ok(())
    }

    /// A line for each.
    pub(super) fn lines(&self) -> Vec<String> {
        let found = self.lock();
        let lines = found.iter();
        lines
            .map(|(name, reason)| format!("job {name}: it cannot run: {reason}"))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobName, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::JobSettings;

    fn broken() -> JobSettings {
        JobSettings {
            schedule: "* * * * *".into(),
            time_zone: "Mars/Olympus".into(),
            uri: "http://127.0.0.1:9/".into(),
            ..JobSettings::default()
        }
    }

    #[test]
    fn a_job_is_told_of_until_it_can_run() {
        let (store, found) = (Store::in_memory().unwrap(), Disabled::default());
        let name: JobName = "job".parse().unwrap();
        let record = store
            .create_job(&name, &broken(), Timestamp::UNIX_EPOCH)
            .unwrap();
        let reason = disabled(&record).expect("there is no such zone");
        let job = DisabledJob {
            name: name.clone(),
            reason,
        };
        let anew = vec![job];
        assert_eq!(found.add(anew.clone()), anew);
        assert_eq!(found.add(anew), []);
        found.look_again(&store).unwrap();
        let lines = found.lines();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("job job: it cannot run: the schedule: `Mars/Olympus`"));
        let mended = store.change_job(&name, Timestamp::UNIX_EPOCH, |record| {
            record.settings.time_zone = "Etc/UTC".into();
            Ok(())
        });
        assert_eq!(disabled(&mended.unwrap()), None);
        found.look_again(&store).unwrap();
        assert!(found.lines().is_empty());
    }

    #[test]
    fn of_a_damaged_job_the_damage_is_told() {
        let store = Store::in_memory().unwrap();
        let name: JobName = "job".parse().unwrap();
        let mut record = store
            .create_job(&name, &broken(), Timestamp::UNIX_EPOCH)
            .unwrap();
        record.settings = JobSettings::default();
        record.damage = Some("EOF while parsing".into());
        let expected = "its record cannot be read: EOF while parsing";
        assert_eq!(disabled(&record).as_deref(), Some(expected));
    }

    #[test]
    fn a_job_that_is_paused_or_gone_is_not_told_of() {
        let store = Store::in_memory().unwrap();
        let name: JobName = "job".parse().unwrap();
        store
            .create_job(&name, &broken(), Timestamp::UNIX_EPOCH)
            .unwrap();
        let told = || {
            let found = Disabled::default();
            found.add(vec![DisabledJob {
                name: name.clone(),
                reason: "why".into(),
            }]);
            found.look_again(&store).unwrap();
            found.lines().len()
        };
        assert_eq!(told(), 1);
        let paused = store.change_job(&name, Timestamp::UNIX_EPOCH, |record| {
            record.is_paused = true;
            Ok(())
        });
        paused.unwrap();
        assert_eq!(told(), 0);
        store.delete_job(&name).unwrap();
        assert_eq!(told(), 0);
    }
}
