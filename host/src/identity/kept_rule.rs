//! Rules on claims as the store keeps them.

use std::fmt::Display;

use host_tokens::{ClaimMatch, ClaimMatchError, ClaimRule, IssuerUrlError};
use serde_json::Value;

use crate::store::{ClaimValues, InvokerRule};

impl InvokerRule {
    /// The rule, to be applied.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn read(&self) -> Result<ClaimRule, String> {
        let wrong = |error: &dyn Display| format!("a rule on claims: {error}");
        let claims = self.claims.iter();
        let claims = claims.map(|(claim, values)| values.required_of(claim));
        let claims = claims
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&error))?;
        let issuer = self.issuer.parse();
        let issuer = issuer.map_err(|error: IssuerUrlError| wrong(&error))?;
        ClaimRule::new(issuer, claims).map_err(|error| wrong(&error))
    }
}

impl ClaimValues {
    /// Asks that `claim` be one of these.
    ///
    /// # Errors
    /// If they cannot be asked for.
    pub fn required_of(&self, claim: &str) -> Result<ClaimMatch, ClaimMatchError> {
        let values: Vec<Value> = match self {
            Self::Several(values) => values.clone(),
            Self::One(value) => vec![value.clone()],
        };
        ClaimMatch::new(claim, values)
    }
}
