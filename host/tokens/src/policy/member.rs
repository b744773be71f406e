//! Who may be named in a policy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::issuer::config::ServiceAccounts;
use crate::issuer::email::{EmailAddress, EmailAddressError};
use crate::issuer::url::IssuerUrlError;
use crate::judge::verified::{Principal, Verified};
use crate::shown::Shown;

/// A member of an invoker policy, written as `gcloud` has it.
///
/// Everything in it is compared byte by byte; nothing is a pattern.
///
/// ```
/// use host_tokens::Member;
///
/// assert!("principal:https://id.example#ada".parse::<Member>().is_ok());
/// // A token does not prove that somebody is in a group.
/// assert!("group:staff@example.com".parse::<Member>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Member {
    /// `serviceAccount:E`: a service account of this host, recognised by tokens of the host's own issuer and no other.
    ServiceAccount(EmailAddress),
    /// `user:E`: whoever an outside issuer says has this address, and that it verified it.
    User(EmailAddress),
    /// `principal:ISSUER#SUB`: one subject of one issuer.
    Principal(Principal),
    /// `allUsers`: everybody, with or without a token.
    AllUsers,
}

/// Why a text is no member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// Of no kind that is known.
    #[error(
        "{0} is not a member; expected serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers"
    )]
    Kind(Shown),
    /// A kind that `gcloud` has and a token cannot prove.
    #[error(
        "{0} members are not supported; name principals one by one, or write a rule on claims, such as groups"
    )]
    Unsupported(&'static str),
    /// Not one e-mail address.
    #[error("{0} is {1}")]
    Address(Shown, EmailAddressError),
    /// A principal without `#`, or without a subject.
    #[error(
        "{0} names no subject; expected principal:ISSUER#SUBJECT, such as principal:https://accounts.google.com#1234"
    )]
    NoSubject(Shown),
    /// A subject that no token can have, or that was meant as a pattern.
    #[error(
        "the subject {0} cannot match; expected at most 255 bytes without controls and without *, which stands for \
         itself"
    )]
    Subject(Shown),
    /// A user by an address that only the host's own issuer may vouch for, whose accounts are no users.
    #[error(
        "{0} is an address of this host's service accounts, for which no other issuer may vouch; write serviceAccount:{0}"
    )]
    OwnAddress(EmailAddress),
    /// The issuer is none.
    #[error("the issuer of a principal: {0}")]
    Issuer(#[from] IssuerUrlError),
}

/// The kinds of members that `gcloud` knows beside ours.
const UNSUPPORTED: [&str; 4] = ["allAuthenticatedUsers", "group", "domain", "principalSet"];

/// The longest subject, in bytes.
const LONGEST: usize = 255;

impl Member {
    /// Whether `caller` is this member.
    pub fn is(&self, caller: &Verified) -> bool {
        match self {
            Self::ServiceAccount(address) => caller.service_account.as_ref() == Some(address),
            // An account of this host is no user, whatever its address.
            Self::User(address) => {
                caller.service_account.is_none() && caller.email.as_ref() == Some(address)
            }
            Self::Principal(principal) => caller.principal == *principal,
            Self::AllUsers => true,
        }
    }

    /// Makes sure that somebody could be this member, on a host with these accounts of its own.
    ///
    /// # Errors
    /// If a service account is named as a user.
    pub fn check(&self, accounts: &ServiceAccounts) -> Result<(), MemberError> {
        match self {
            Self::User(address) if accounts.claim(address) => {
                Err(MemberError::OwnAddress(address.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The names under which `caller` could be let in, the one that is read most easily first.
    pub fn of(caller: &Verified) -> Self {
        match (&caller.service_account, &caller.email) {
            (Some(address), _) => Self::ServiceAccount(address.clone()),
            (None, Some(address)) => Self::User(address.clone()),
            (None, None) => Self::Principal(caller.principal.clone()),
        }
    }
}

impl FromStr for Member {
    type Err = MemberError;

    fn from_str(text: &str) -> Result<Self, MemberError> {
        if text == "allUsers" {
            return Ok(Self::AllUsers);
        }
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "serviceAccount" => Ok(Self::ServiceAccount(address(name)?)),
            "user" => Ok(Self::User(address(name)?)),
            "principal" => Ok(Self::Principal(principal(name)?)),
            other => match UNSUPPORTED.into_iter().find(|known| *known == other) {
                Some(known) => Err(MemberError::Unsupported(known)),
                None => Err(MemberError::Kind(Shown::text(text))),
            },
        }
    }
}

fn address(text: &str) -> Result<EmailAddress, MemberError> {
    text.parse()
        .map_err(|error| MemberError::Address(Shown::text(text), error))
}

/// An issuer has no `#` in it, a subject may: the first one divides.
fn principal(text: &str) -> Result<Principal, MemberError> {
    let parts = text
        .split_once('#')
        .filter(|(_, subject)| !subject.is_empty());
    let (issuer, subject) = parts.ok_or_else(|| MemberError::NoSubject(Shown::text(text)))?;
    let issuer = issuer.parse()?;
    if subject.len() > LONGEST || subject.contains('*') || subject.chars().any(char::is_control) {
        return Err(MemberError::Subject(Shown::text(subject)));
    }
    Ok(Principal {
        issuer,
        subject: subject.to_owned(),
    })
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAccount(address) => write!(f, "serviceAccount:{address}"),
            Self::User(address) => write!(f, "user:{address}"),
            Self::Principal(principal) => write!(f, "{principal}"),
            Self::AllUsers => f.write_str("allUsers"),
        }
    }
}

impl TryFrom<String> for Member {
    type Error = MemberError;

    fn try_from(text: String) -> Result<Self, MemberError> {
        text.parse()
    }
}

impl From<Member> for String {
    fn from(member: Member) -> Self {
        member.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Member, MemberError> {
        text.parse()
    }

    #[test]
    fn a_member_is_written_as_it_is_read() {
        for text in [
            "serviceAccount:caller@host.internal",
            "user:alice@example.com",
            "principal:https://token.actions.githubusercontent.com#repo:org/app:ref:refs/heads/main",
            "principal:https://a.example/#with#hash",
            "allUsers",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_member_by_address_is_the_same_whatever_the_case_of_the_domain() {
        assert_eq!(
            read("user:Ada@EXAMPLE.com").unwrap().to_string(),
            "user:Ada@example.com"
        );
        assert_ne!(read("user:Ada@example.com"), read("user:ada@example.com"));
    }

    #[test]
    fn the_first_hash_divides_issuer_and_subject() {
        let Ok(Member::Principal(principal)) = read("principal:https://a.example#x#y") else {
            panic!("no principal");
        };
        assert_eq!(principal.issuer.as_str(), "https://a.example");
        assert_eq!(principal.subject, "x#y");
    }

    #[test]
    fn a_service_account_is_not_named_as_a_user() {
        let accounts = [("1".to_owned(), "a@robots.example".to_owned())];
        let accounts: ServiceAccounts = accounts.into_iter().collect();
        let check = |text: &str| read(text).unwrap().check(&accounts);
        for text in ["user:caller@host.internal", "user:b@robots.example"] {
            let error = check(text).unwrap_err().to_string();
            let meant = text.replace("user:", "serviceAccount:");
            assert!(error.ends_with(&format!("write {meant}")), "{error}");
        }
        for text in [
            "serviceAccount:caller@host.internal",
            "user:alice@example.com",
            "allUsers",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_member_is_told_why() {
        for text in [
            "",
            "alice@example.com",
            "User:alice@example.com",
            "allusers",
            "allUsers:",
        ] {
            assert!(matches!(read(text), Err(MemberError::Kind(_))), "{text}");
        }
        for text in [
            "group:g@example.com",
            "domain:example.com",
            "allAuthenticatedUsers",
        ] {
            assert!(
                matches!(read(text), Err(MemberError::Unsupported(_))),
                "{text}"
            );
        }
        for text in [
            "user:",
            "user:alice",
            "user:@example.com",
            "user:alice@",
            "user:a@b@c",
            "user: a@b.example",
            "user:*@example.com",
            "user:аlice@example.com",
            "serviceAccount:caller",
        ] {
            assert!(
                matches!(read(text), Err(MemberError::Address(..))),
                "{text}"
            );
        }
        for text in [
            "principal:https://a.example",
            "principal:https://a.example#",
            "principal:",
        ] {
            assert!(
                matches!(read(text), Err(MemberError::NoSubject(_))),
                "{text}"
            );
        }
        for text in [
            "principal:https://a.example#repo:org/*",
            "principal:https://a.example#a\nb",
        ] {
            assert!(matches!(read(text), Err(MemberError::Subject(_))), "{text}");
        }
        assert!(matches!(
            read("principal:a.example#x"),
            Err(MemberError::Issuer(_))
        ));
    }
}
