//! Keys and values that functions keep, in buckets.
//!
//! A bucket has counts of its entries and bytes, so that a quota costs no look at all of it. Entries are numbered in the
//! order in which they came, which is the order of pages: what is set or removed meanwhile moves none of the others.

mod ledger;

use rusqlite::{OptionalExtension, TransactionBehavior};

use super::damage;
use super::{FunctionName, Store, StoreError, suggestion};
pub use ledger::KeyValueLedger;

/// The longest key, in bytes.
const LONGEST_KEY: usize = 1024;
/// The largest value, in bytes.
pub const LARGEST_VALUE: usize = 1 << 20;
/// The most that is read of values at once, in bytes.
const LARGEST_ANSWER: usize = LARGEST_VALUE;
/// The keys of a page, and the most that may be named at once.
pub const PAGE: usize = 256;

/// Whose bucket it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketName {
    /// The own one of a function. It is gone when the function is deleted, and stays when a file declares it no longer.
    Function(String),
    /// The own one of the component of a command line.
    Component(String),
    /// One that functions share by its name.
    Shared(String),
}

/// How much there may be in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Entries.
    pub entries: u64,
    /// Bytes of all keys and values.
    pub bytes: u64,
}

impl Quota {
    /// None.
    pub const UNLIMITED: Self = Self {
        entries: u64::MAX,
        bytes: u64::MAX,
    };
}

/// An entry of a bucket, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRecord {
    /// The place that it has among the others.
    pub number: u64,
    /// Its key.
    pub key: String,
    /// The size of its value, in bytes.
    pub bytes: u64,
}

/// Why a bucket does not do what it was asked. The words are for functions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyValueError {
    /// No key is empty, or longer than this.
    #[error("a key has 1 to {LONGEST_KEY} bytes; this one has {0}")]
    Key(usize),
    /// No value is larger than this.
    #[error("a value has {LARGEST_VALUE} bytes at most; this one has {0}")]
    Value(usize),
    /// More keys were named than may be at once.
    #[error("{PAGE} keys can be named at once; these are {0}")]
    Keys(usize),
    /// More was asked for than is read at once.
    #[error("the values have more than {LARGEST_ANSWER} bytes together; ask for fewer at once")]
    Answer,
    /// The quota of entries is used up.
    #[error("the bucket is full: its limit of entries is {0}")]
    Entries(u64),
    /// The quota of bytes is used up.
    #[error("the bucket is full: its limit of bytes, keys and values together, is {0}")]
    Bytes(u64),
    /// What is to be added to is no number.
    #[error("the value is not a whole number in decimal digits")]
    NoNumber,
    /// The sum is no number of the kind that was asked for.
    #[error("the sum is out of the range of numbers")]
    Range,
    /// The function is not there any more.
    #[error("the function was deleted")]
    Deleted,
    /// The database has given up the transaction.
    #[error("the host's store failed")]
    GivenUp,
    /// The database failed.
    #[error("the host's store failed")]
    Database(#[from] rusqlite::Error),
}

impl Store {
    /// Lets `read` read, all of it at one moment.
    ///
    /// # Errors
    /// If the database fails.
    pub fn read_keyvalue<T>(
        &self,
        read: impl FnOnce(&KeyValueLedger<'_>) -> T,
    ) -> Result<T, StoreError> {
        self.keyvalue(TransactionBehavior::Deferred, read)
    }

    /// Lets `write` write. What it has written is on disk when this returns.
    ///
    /// # Errors
    /// If the database fails. Then nothing is written.
    pub fn write_keyvalue<T>(
        &self,
        write: impl FnOnce(&KeyValueLedger<'_>) -> T,
    ) -> Result<T, StoreError> {
        self.keyvalue(TransactionBehavior::Immediate, write)
    }

    fn keyvalue<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&KeyValueLedger<'_>) -> T,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(behavior)?;
        let done = work(&KeyValueLedger::new(&transaction));
        transaction.commit()?;
        Ok(done)
    }

    /// The own bucket of the function `name`, which need not be declared any more, or of the component of that name if there
    /// is no such function.
    ///
    /// # Errors
    /// If there is neither, or the database fails.
    pub fn own_bucket(&self, name: &str) -> Result<BucketName, StoreError> {
        let is_functions = self
            .connection()
            .query_row(
                "SELECT true FROM functions WHERE name = ?1
                 UNION ALL SELECT true FROM keyvalue_buckets WHERE function = ?1
                 UNION ALL SELECT false FROM keyvalue_buckets WHERE component = ?1",
                [name],
                |row| row.get(0),
            )
            .optional()?;
        match is_functions {
            Some(true) => Ok(BucketName::Function(name.to_owned())),
            Some(false) => Ok(BucketName::Component(name.to_owned())),
            None => Err(self.no_own_bucket(name)),
        }
    }

    /// Says that there is neither a function nor a component `name`.
    fn no_own_bucket(&self, name: &str) -> StoreError {
        let no_function = |name: FunctionName| self.function(&name).err();
        let error = name.parse().ok().and_then(no_function);
        error.unwrap_or_else(|| StoreError::NoBucket {
            name: name.to_owned(),
            nearest: None,
        })
    }

    /// The shared bucket `name`, if there is one.
    ///
    /// # Errors
    /// If there is no such bucket, or the database fails.
    pub fn shared_bucket(&self, name: &str) -> Result<BucketName, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT name FROM keyvalue_buckets WHERE name NOT NULL")?;
        let names = statement.query_map([], |row| damage::text(row, 0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        match names.iter().any(|other| other == name) {
            true => Ok(BucketName::Shared(name.to_owned())),
            false => Err(StoreError::NoBucket {
                nearest: suggestion::nearest(name, names),
                name: name.to_owned(),
            }),
        }
    }
}
