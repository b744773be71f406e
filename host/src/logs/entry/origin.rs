//! Who caused an execution, or a request that was refused.

use std::net::IpAddr;
use std::sync::Arc;

/// The caller and its address, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The principal, named as in a policy; `None` for anonymous callers. The token's issuer chose the name, so it is
    /// untrusted.
    pub caller: Option<Arc<str>>,
    /// The client's address.
    pub client: Option<IpAddr>,
}
