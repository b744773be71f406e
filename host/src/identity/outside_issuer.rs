//! An issuer beside the host's own.

use std::sync::Arc;

use host_tokens::IssuerConfig;

use super::fetch::KeySource;

/// An issuer beside the host's own, and where its keys are.
#[derive(Clone, Debug)]
pub struct OutsideIssuer {
    /// What its tokens have to be like.
    pub config: Arc<IssuerConfig>,
    /// Where its keys are.
    pub keys: KeySource,
}
