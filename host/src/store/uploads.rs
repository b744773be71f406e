//! What clients upload to deploy functions, for a short time.
//!
//! The id of an upload is all that it takes to put it, so it is random, and only its SHA-256 is kept. It is put once.
//! It may be taken again until it expires, for a deploy that is tried again, or until it is removed, once a function
//! runs it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::jobs::micros;
use super::{Store, StoreError, sha256};
use crate::archive::LARGEST_UPLOAD;

/// How long an upload may be put and taken after it was begun.
pub const UPLOAD_TIME: Duration = Duration::from_secs(600);
/// How many uploads there are at once.
const MOST_UPLOADS: usize = 64;
/// How many bytes all uploads have together.
const MOST_BYTES: i64 = 1 << 30;

/// The id of an upload, which lets whoever has it put the upload and deploy it. It has 128 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadId(String);

impl UploadId {
    fn random() -> Self {
        Self(HEXLOWER.encode(&rand::random::<[u8; 16]>()))
    }

    /// An id as a client sends it. Any text may be one that there is no upload of.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether it has the form of those that are made here.
    pub fn may_be_one(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// The id itself: 32 hexadecimal digits, if it was made here.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn sha256(&self) -> String {
        sha256(self.0.as_bytes())
    }
}

impl fmt::Debug for UploadId {
    /// Does not tell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadId(..)")
    }
}

/// Why an upload was not begun, put or taken. The words are for who uploads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// There are as many uploads as there may be.
    #[error(
        "there are {MOST_UPLOADS} uploads already, which is the limit; wait until some are deployed or expire"
    )]
    TooMany,
    /// Uploads have as many bytes as they may have.
    #[error(
        "the uploads have too many bytes: the limit for all together is {MOST_BYTES}; wait until some are deployed \
         or expire"
    )]
    Full,
    /// An upload is larger than it may be.
    #[error("an upload has {LARGEST_UPLOAD} bytes at most; this one has {0}")]
    TooLarge(usize),
    /// Nobody began the upload, or it has expired or been removed.
    #[error("there is no such upload, or it has expired; ask for another upload URL")]
    Missing,
    /// An upload is put once.
    #[error("the upload URL was used already; ask for another one")]
    Used,
    /// An upload was not put before it was taken.
    #[error("nothing was uploaded to the upload URL; upload the function first")]
    Empty,
}

impl Store {
    /// Begins an upload, which expires [`UPLOAD_TIME`] after `now`.
    ///
    /// # Errors
    /// If there are too many, or the database fails.
    pub fn begin_upload(&self, now: Timestamp) -> Result<UploadId, StoreError> {
        self.write_uploads(now, |transaction| {
            let count: i64 =
                transaction.query_row("SELECT count(*) FROM uploads", [], |row| row.get(0))?;
            if count >= MOST_UPLOADS as i64 {
                return Err(UploadError::TooMany.into());
            }
            let id = UploadId::random();
            let made = micros(now);
            let expires = made.saturating_add(UPLOAD_TIME.as_micros() as i64);
            transaction.execute(
                "INSERT INTO uploads (id_sha256, made, expires) VALUES (?, ?, ?)",
                params![id.sha256(), made, expires],
            )?;
            Ok(id)
        })
    }

    /// Makes sure that the upload `id` can be put, before its bytes are read.
    ///
    /// # Errors
    /// If there is no such upload, it was put already, or the database fails.
    pub fn check_upload(&self, id: &UploadId, now: Timestamp) -> Result<(), StoreError> {
        check_open(&self.connection(), id, now)
    }

    /// Puts `bytes` into the upload `id`.
    ///
    /// # Errors
    /// If there is no such upload, it was put already, it or all of them together are too large, or the database fails.
    pub fn put_upload(
        &self,
        id: &UploadId,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if bytes.len() > LARGEST_UPLOAD {
            return Err(UploadError::TooLarge(bytes.len()).into());
        }
        self.write_uploads(now, |transaction| {
            check_open(transaction, id, now)?;
            check_room(transaction, bytes.len(), MOST_BYTES)?;
            transaction.execute(
                "UPDATE uploads SET bytes = ? WHERE id_sha256 = ?",
                params![bytes, id.sha256()],
            )?;
            Ok(())
        })
    }

    /// What was put into the upload `id`. It stays there.
    ///
    /// # Errors
    /// If there is no such upload, nothing was put into it, or the database fails.
    pub fn take_upload(&self, id: &UploadId, now: Timestamp) -> Result<Bytes, StoreError> {
        let found: Option<Option<Vec<u8>>> = self
            .connection()
            .prepare_cached("SELECT bytes FROM uploads WHERE id_sha256 = ? AND expires > ?")?
            .query_row(params![id.sha256(), micros(now)], |row| row.get(0))
            .optional()?;
        let bytes = found.ok_or(UploadError::Missing)?;
        Ok(bytes.ok_or(UploadError::Empty)?.into())
    }

    /// Removes the upload `id`, if it is there: a function runs it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn remove_upload(&self, id: &UploadId) -> Result<(), StoreError> {
        self.connection()
            .execute("DELETE FROM uploads WHERE id_sha256 = ?", [id.sha256()])?;
        Ok(())
    }

    /// Removes the uploads that have expired, and tells how many there were.
    ///
    /// # Errors
    /// If the database fails.
    pub fn remove_expired_uploads(&self, now: Timestamp) -> Result<usize, StoreError> {
        remove_expired(&self.connection(), now)
    }

    /// Lets `write` write without the uploads that have expired.
    fn write_uploads<T>(
        &self,
        now: Timestamp,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        remove_expired(&transaction, now)?;
        let written = write(&transaction)?;
        transaction.commit()?;
        Ok(written)
    }
}

/// Makes sure that the upload `id` is there, and nothing was put into it.
fn check_open(connection: &Connection, id: &UploadId, now: Timestamp) -> Result<(), StoreError> {
    let is_put: Option<bool> = connection
        .prepare_cached(
            "SELECT bytes IS NOT NULL FROM uploads WHERE id_sha256 = ? AND expires > ?",
        )?
        .query_row(params![id.sha256(), micros(now)], |row| row.get(0))
        .optional()?;
    match is_put {
        Some(false) => Ok(()),
        Some(true) => Err(UploadError::Used.into()),
        None => Err(UploadError::Missing.into()),
    }
}

/// Makes sure that all uploads have `most` bytes at most together with `more`.
fn check_room(connection: &Connection, more: usize, most: i64) -> Result<(), StoreError> {
    // Reads no more than the sizes.
    let held: i64 = connection.query_row(
        "SELECT coalesce(sum(length(bytes)), 0) FROM uploads",
        [],
        |row| row.get(0),
    )?;
    match held.saturating_add(more as i64) > most {
        true => Err(UploadError::Full.into()),
        false => Ok(()),
    }
}

fn remove_expired(connection: &Connection, now: Timestamp) -> Result<usize, StoreError> {
    let removed = connection.execute("DELETE FROM uploads WHERE expires <= ?", [micros(now)])?;
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_bounded_in_size_together() {
        let store = Store::in_memory().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        for bytes in [&b"123"[..], b"45"] {
            let id = store.begin_upload(now).unwrap();
            store.put_upload(&id, bytes, now).unwrap();
        }
        store.begin_upload(now).unwrap();
        check_room(&store.connection(), 3, 8).unwrap();
        let refused = check_room(&store.connection(), 4, 8)
            .unwrap_err()
            .to_string();
        let expected = "the uploads have too many bytes: the limit for all together is 1073741824";
        assert!(refused.starts_with(expected), "{refused}");
    }
}
