//! Who calls, once a token is found good.

use std::fmt;

use crate::algorithm::Algorithm;
use crate::issuer::email::EmailAddress;
use crate::issuer::url::IssuerUrl;
use crate::judge::standing::Standing;
use crate::token::claims::Claims;
use crate::token::numeric_date::NumericDate;

/// An issuer and a subject, which name somebody only together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The issuer by its configured name, whichever alias the token has.
    pub issuer: IssuerUrl,
    /// The claim `sub`.
    pub subject: String,
}

/// Reads `principal:ISSUER#SUB`, as a member of an invoker policy is written.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "principal:{}#{}", self.issuer, self.subject)
    }
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// Whom it stands for.
    pub principal: Principal,
    /// The address of the host's own service account that it stands for; never set by another issuer.
    pub service_account: Option<EmailAddress>,
    /// The e-mail address, if the issuer verified it and may speak for its domain.
    pub email: Option<EmailAddress>,
    /// When it expires, without leeway.
    pub expiry: NumericDate,
    /// Its name, `jti`.
    pub token_id: Option<String>,
    /// The name of the key that it is signed with.
    pub key_id: Option<String>,
    /// The algorithm that it is signed with.
    pub algorithm: Algorithm,
    /// All that it claims.
    pub claims: Claims,
    /// When and for whom it is good.
    pub(crate) standing: Standing,
}
