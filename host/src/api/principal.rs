//! Who calls a method.

use std::fmt;
use std::net::IpAddr;

use host_tokens::{EmailAddress, Member};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Whoever owns the state directory, and may do everything.
    Owner,
    /// A service account of this host.
    ServiceAccount(EmailAddress),
    /// Somebody whom an outside issuer knows.
    Outside {
        /// The one who is named by `principal:ISSUER#SUBJECT`.
        principal: host_tokens::Principal,
        /// Their address, if the issuer has verified it.
        email: Option<EmailAddress>,
    },
}

impl Principal {
    /// Whether this is `member` of a policy.
    pub(crate) fn is(&self, member: &Member) -> bool {
        match (member, self) {
            (Member::AllUsers, _) => true,
            (Member::ServiceAccount(member), Self::ServiceAccount(address)) => member == address,
            (Member::User(member), Self::Outside { email, .. }) => email.as_ref() == Some(member),
            (Member::Principal(member), Self::Outside { principal, .. }) => member == principal,
            _ => false,
        }
    }

    /// What tells it from all others: for somebody outside with the issuer that vouches for them, as several issuers may for one
    /// address.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Outside { principal, .. } => Member::Principal(principal.clone()).to_string(),
            Self::Owner | Self::ServiceAccount(_) => self.to_string(),
        }
    }
}

/// As a policy would name it; `owner` for the owner, whom no policy names.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::ServiceAccount(address) => write!(f, "serviceAccount:{address}"),
            Self::Outside {
                email: Some(email), ..
            } => write!(f, "user:{email}"),
            Self::Outside { principal, .. } => {
                write!(f, "{}", Member::Principal(principal.clone()))
            }
        }
    }
}

/// Who calls, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who it is.
    pub(crate) principal: Principal,
    /// The address that the request came from; none if it came from this machine, by the socket or in the process.
    pub(crate) address: Option<IpAddr>,
    /// What the client calls itself.
    pub(crate) user_agent: Option<String>,
}

impl Caller {
    /// Whether this is the owner, on this machine: whoever has no more than a token of the owner is not.
    pub(crate) fn is_owner_here(&self) -> bool {
        self.principal == Principal::Owner && self.address.is_none()
    }

    /// The owner, in this process.
    pub(crate) fn owner() -> Self {
        Self {
            principal: Principal::Owner,
            address: None,
            user_agent: None,
        }
    }
}
