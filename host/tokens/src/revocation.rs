//! What is refused although its token is good.

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
    /// Nothing: the record of the revocation cannot be read, and may have been about any token of its issuer.
    Unreadable,
}

/// The issuer of a revocation whose issuer cannot be read: any.
pub const ANY_ISSUER: &str = "*";

impl RevokedKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Token => "token",
            Self::Key => "key",
            Self::Unreadable => "revocation",
        }
    }

    /// The kind that `word` stands for, if it is one that can be read.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Subject, Self::Token, Self::Key];
        all.into_iter().find(|kind| kind.word() == word)
    }
}
