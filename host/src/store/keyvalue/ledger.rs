//! What is read and written of buckets, within one transaction.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    BucketName, EntryRecord, KeyValueError, LARGEST_ANSWER, LARGEST_VALUE, LONGEST_KEY, PAGE, Quota,
};
use crate::store::damage;

/// Which writing of a value it is: no two are the same.
type Version = i64;
type Outcome<T> = Result<T, KeyValueError>;

/// All buckets, at one moment.
#[derive(Debug)]
pub struct KeyValueLedger<'a>(&'a Connection);

/// The counts of a bucket.
#[derive(Clone, Copy, Debug)]
struct Counts {
    id: i64,
    entries: u64,
    bytes: u64,
    /// The number of the entry that came last.
    made: i64,
}

impl BucketName {
    fn column_and_name(&self) -> (&'static str, &str) {
        match self {
            Self::Function(name) => ("function", name),
            Self::Component(name) => ("component", name),
            Self::Shared(name) => ("name", name),
        }
    }
}

impl<'a> KeyValueLedger<'a> {
    pub(super) fn new(transaction: &'a Connection) -> Self {
        Self(transaction)
    }

    /// The value of each of `keys`, in their order.
    ///
    /// # Errors
    /// If a key is none, the values are too large together, or the database fails.
    pub fn get(&self, bucket: &BucketName, keys: &[String]) -> Outcome<Vec<Option<Vec<u8>>>> {
        check_count(keys.len())?;
        let counts = self.find(bucket)?;
        let mut bytes = 0;
        let value = |key: &String| {
            let value = self.value(counts, key)?.map(|(_, value)| value);
            bytes += value.as_ref().map_or(0, Vec::len);
            match bytes > LARGEST_ANSWER {
                true => Err(KeyValueError::Answer),
                false => Ok(value),
            }
        };
        keys.iter().map(value).collect()
    }

    /// The value of `key`, and which writing of it that is.
    ///
    /// # Errors
    /// If the key is none, or the database fails.
    pub fn read(&self, bucket: &BucketName, key: &str) -> Outcome<Option<(Version, Vec<u8>)>> {
        self.value(self.find(bucket)?, key)
    }

    /// Whether there is a value of `key`.
    ///
    /// # Errors
    /// If the key is none, or the database fails.
    pub fn exists(&self, bucket: &BucketName, key: &str) -> Outcome<bool> {
        check_key(key)?;
        let Some(counts) = self.find(bucket)? else {
            return Ok(false);
        };
        Ok(self.size(counts, key)?.is_some())
    }

    /// Entries after the one with the number `after`, `most` at most.
    ///
    /// # Errors
    /// If the database fails.
    pub fn entries(
        &self,
        bucket: &BucketName,
        after: u64,
        most: usize,
    ) -> Outcome<Vec<EntryRecord>> {
        let Some(counts) = self.find(bucket)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.0.prepare_cached(
            "SELECT number, key, length(value) FROM keyvalue_entries
             WHERE bucket = ? AND number > ? ORDER BY number LIMIT ?",
        )?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![counts.id, after, most], |row| {
            Ok(EntryRecord {
                number: row.get::<_, i64>(0)?.unsigned_abs(),
                key: damage::text(row, 1)?,
                bytes: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Sets all of `entries`, or none if it fails.
    ///
    /// # Errors
    /// If a key or a value is none, the bucket would have more than `quota`, or the database fails.
    pub fn set(
        &self,
        bucket: &BucketName,
        entries: &[(String, Vec<u8>)],
        quota: Quota,
    ) -> Outcome<()> {
        check_count(entries.len())?;
        self.whole(|| {
            let mut counts = self.find_or_make(bucket)?;
            let mut set =
                |(key, value): &(String, Vec<u8>)| self.put(&mut counts, key, value, quota);
            entries.iter().try_for_each(&mut set)?;
            self.put_counts(counts)
        })
    }

    /// Removes those of `keys` that are there, and tells how many these were.
    ///
    /// # Errors
    /// If a key is none, or the database fails.
    pub fn delete(&self, bucket: &BucketName, keys: &[String]) -> Outcome<usize> {
        check_count(keys.len())?;
        keys.iter().try_for_each(|key| check_key(key))?;
        let Some(mut counts) = self.find(bucket)? else {
            return Ok(0);
        };
        self.whole(|| {
            let mut deleted = 0;
            for key in keys {
                let Some(size) = self.size(counts, key)? else {
                    continue;
                };
                self.0
                    .prepare_cached("DELETE FROM keyvalue_entries WHERE bucket = ? AND key = ?")?
                    .execute(params![counts.id, key])?;
                counts.entries = counts.entries.saturating_sub(1);
                counts.bytes = counts.bytes.saturating_sub(size + key.len() as u64);
                deleted += 1;
            }
            self.put_counts(counts)?;
            Ok(deleted)
        })
    }

    /// Removes the bucket with all that is in it, and tells how many entries these were.
    ///
    /// # Errors
    /// If the database fails.
    pub fn clear(&self, bucket: &BucketName) -> Outcome<usize> {
        let Some(counts) = self.find(bucket)? else {
            return Ok(0);
        };
        self.whole(|| {
            self.0
                .prepare_cached("DELETE FROM keyvalue_buckets WHERE id = ?")?
                .execute([counts.id])?;
            Ok(())
        })?;
        Ok(usize::try_from(counts.entries).unwrap_or(usize::MAX))
    }

    /// Gives up the transaction.
    #[cfg(test)]
    pub(crate) fn give_up(&self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }

    /// Whether the database has given up the transaction by itself, as it does when the disk fails. Nothing that was done in
    /// it holds then.
    pub(crate) fn is_given_up(&self) -> bool {
        self.0.is_autocommit()
    }

    /// Adds `delta` to the number that the value of `key` is, or to 0 if there is none. Answers the sum.
    ///
    /// # Errors
    /// If the value is no number, or the sum is out of `range`; else as of [`set`](Self::set).
    pub fn add(
        &self,
        bucket: &BucketName,
        key: &str,
        delta: i128,
        range: RangeInclusive<i128>,
        quota: Quota,
    ) -> Outcome<i128> {
        let value = self.read(bucket, key)?;
        let number = match value {
            None => 0,
            Some((_, text)) => std::str::from_utf8(&text)
                .ok()
                .and_then(|text| text.parse::<i128>().ok())
                .ok_or(KeyValueError::NoNumber)?,
        };
        let sum = number
            .checked_add(delta)
            .filter(|sum| range.contains(sum))
            .ok_or(KeyValueError::Range)?;
        let entry = (key.to_owned(), sum.to_string().into_bytes());
        self.set(bucket, &[entry], quota)?;
        Ok(sum)
    }

    /// Sets the value of `key`, if it is still that of the writing `seen`, or if there is still none. Otherwise answers which
    /// writing is there.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub fn swap(
        &self,
        bucket: &BucketName,
        key: &str,
        seen: Option<Version>,
        value: Vec<u8>,
        quota: Quota,
    ) -> Outcome<Result<(), Option<Version>>> {
        let found = self.read(bucket, key)?.map(|(version, _)| version);
        if found != seen {
            return Ok(Err(found));
        }
        self.set(bucket, &[(key.to_owned(), value)], quota)?;
        Ok(Ok(()))
    }

    fn value(&self, counts: Option<Counts>, key: &str) -> Outcome<Option<(Version, Vec<u8>)>> {
        check_key(key)?;
        let Some(counts) = counts else {
            return Ok(None);
        };
        let value = self
            .0
            .prepare_cached(
                "SELECT version, value FROM keyvalue_entries WHERE bucket = ? AND key = ?",
            )?
            .query_row(params![counts.id, key], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(value)
    }

    /// The size of the value of `key`, if there is one.
    fn size(&self, counts: Counts, key: &str) -> Outcome<Option<u64>> {
        let size = self
            .0
            .prepare_cached(
                "SELECT length(value) FROM keyvalue_entries WHERE bucket = ? AND key = ?",
            )?
            .query_row(params![counts.id, key], |row| row.get::<_, i64>(0))
            .optional()?;
        Ok(size.map(i64::unsigned_abs))
    }

    fn put(&self, counts: &mut Counts, key: &str, value: &[u8], quota: Quota) -> Outcome<()> {
        check_key(key)?;
        if value.len() > LARGEST_VALUE {
            return Err(KeyValueError::Value(value.len()));
        }
        let (mut more, mut less) = ((key.len() + value.len()) as u64, 0);
        match self.size(*counts, key)? {
            Some(size) => less = size + key.len() as u64,
            None if counts.entries >= quota.entries => {
                return Err(KeyValueError::Entries(quota.entries));
            }
            None => {
                counts.entries += 1;
                counts.made += 1;
            }
        }
        more += counts.bytes.saturating_sub(less);
        // A bucket that has too much already may still have less.
        if more > counts.bytes && more > quota.bytes {
            return Err(KeyValueError::Bytes(quota.bytes));
        }
        counts.bytes = more;
        self.0
            .prepare_cached(
                "INSERT INTO keyvalue_entries (bucket, key, number, value, version)
                 VALUES (?, ?, ?, ?, random())
                 ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value, version = excluded.version",
            )?
            .execute(params![counts.id, key, counts.made, value])?;
        Ok(())
    }

    fn find(&self, bucket: &BucketName) -> Outcome<Option<Counts>> {
        let (column, name) = bucket.column_and_name();
        let counts = self
            .0
            .prepare_cached(&format!(
                "SELECT id, entries, bytes, made FROM keyvalue_buckets WHERE {column} = ?"
            ))?
            .query_row([name], |row| {
                Ok(Counts {
                    id: row.get(0)?,
                    entries: row.get::<_, i64>(1)?.unsigned_abs(),
                    bytes: row.get::<_, i64>(2)?.unsigned_abs(),
                    made: row.get(3)?,
                })
            })
            .optional()?;
        Ok(counts)
    }

    fn find_or_make(&self, bucket: &BucketName) -> Outcome<Counts> {
        if let Some(counts) = self.find(bucket)? {
            return Ok(counts);
        }
        let (column, name) = bucket.column_and_name();
        let from = match bucket {
            // An execution may outlast its function.
            BucketName::Function(_) => "FROM functions WHERE name = ?1",
            BucketName::Component(_) | BucketName::Shared(_) => "",
        };
        // With the time, so that they are beyond those of an earlier bucket of that name, whose pages may be under way.
        self.0
            .prepare_cached(&format!(
                "INSERT INTO keyvalue_buckets ({column}, made)
                 SELECT ?1, CAST(unixepoch('subsec') * 1000000 AS INTEGER) {from}"
            ))?
            .execute([name])?;
        self.find(bucket)?.ok_or(KeyValueError::Deleted)
    }

    fn put_counts(&self, counts: Counts) -> Outcome<()> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.0
            .prepare_cached(
                "UPDATE keyvalue_buckets SET entries = ?, bytes = ?, made = ? WHERE id = ?",
            )?
            .execute(params![
                number(counts.entries),
                number(counts.bytes),
                counts.made,
                counts.id
            ])?;
        Ok(())
    }

    /// Does all of `write`, or nothing if it fails; what else is in the transaction stays.
    fn whole<T>(&self, write: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        if self.is_given_up() {
            // What is written now would be kept alone.
            return Err(KeyValueError::GivenUp);
        }
        self.0.prepare_cached("SAVEPOINT keyvalue")?.execute([])?;
        let written = write();
        if written.is_err() {
            self.0.prepare_cached("ROLLBACK TO keyvalue")?.execute([])?;
        }
        self.0.prepare_cached("RELEASE keyvalue")?.execute([])?;
        written
    }
}

fn check_count(count: usize) -> Outcome<()> {
    match count <= PAGE {
        true => Ok(()),
        false => Err(KeyValueError::Keys(count)),
    }
}

fn check_key(key: &str) -> Outcome<()> {
    match key.len() {
        1..=LONGEST_KEY => Ok(()),
        length => Err(KeyValueError::Key(length)),
    }
}
