//! What is refused although its token is good.

use rusqlite::params;

use super::damage;
use super::{Store, StoreError, now};

/// Something that an issuer's tokens are refused for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revocation {
    /// The issuer, by its configured name.
    pub issuer: String,
    /// What of a token is looked at.
    pub kind: RevokedKind,
    /// What it must not be.
    pub value: String,
}

/// What of a token a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RevokedKind {
    /// The subject, `sub`.
    Subject,
    /// The token's name, `jti`.
    Token,
    /// The key's name, `kid`.
    Key,
}

impl RevokedKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Token => "token",
            Self::Key => "key",
        }
    }

    fn read(word: &str) -> Option<Self> {
        let all = [Self::Subject, Self::Token, Self::Key];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

impl Store {
    /// Has tokens of `revocation` refused from now on. To say so twice is no error.
    ///
    /// # Errors
    /// If the database fails.
    pub fn revoke(&self, revocation: &Revocation) -> Result<(), StoreError> {
        self.connection().execute(
            "INSERT OR IGNORE INTO revocations (issuer, kind, value, created) VALUES (?, ?, ?, ?)",
            params![
                revocation.issuer,
                revocation.kind.word(),
                revocation.value,
                now()
            ],
        )?;
        self.note_change();
        Ok(())
    }

    /// All revocations.
    ///
    /// # Errors
    /// If the database fails.
    pub fn revocations(&self) -> Result<Vec<Revocation>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT issuer, kind, value FROM revocations ORDER BY issuer, kind, value",
        )?;
        let rows = statement.query_map([], |row| {
            let kind: String = row.get(1)?;
            Ok(Revocation {
                issuer: damage::text(row, 0)?,
                // The table takes no other word.
                kind: RevokedKind::read(&kind).unwrap_or(RevokedKind::Subject),
                value: damage::text(row, 2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
