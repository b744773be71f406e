//! Who calls the control plane.

use crate::issuer::email::EmailAddress;
use crate::judge::verified::Verified;

/// Who calls the control plane, once a token is found good.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlCaller {
    /// The owner of the host.
    Owner,
    /// A service account of the host's own.
    ServiceAccount {
        /// Its address.
        email: EmailAddress,
        /// Its subject, which no other account has had.
        subject: String,
    },
    /// Whom an outside issuer knows. Where an access token stands for them, `token_id` and `key_id` are those of the
    /// outside token that was exchanged for it, `expiry` is that of the access token, and of the claims there are only
    /// `iss`, `sub` and a verified `email`.
    Outside(Box<Verified>),
}
