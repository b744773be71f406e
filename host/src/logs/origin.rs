//! Who caused an execution, or a request that was refused.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::safe;

/// Who called, and from where, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The caller, by the name that a policy has it; nobody in particular calls what is open. Its issuer chose it, so it
    /// is not trusted.
    pub caller: Option<Arc<str>>,
    /// The address of the client.
    pub client: Option<IpAddr>,
}

/// What a table has behind the text of an entry.
pub(super) struct Suffix<'a> {
    pub(super) caller: Option<&'a str>,
    pub(super) client: Option<&'a dyn fmt::Display>,
}

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(caller) = self.caller {
            write!(f, "  caller={}", safe::text(caller))?;
        }
        match self.client {
            Some(client) => write!(f, "  client={client}"),
            None => Ok(()),
        }
    }
}
