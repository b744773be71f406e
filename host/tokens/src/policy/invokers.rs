//! Who may call a function.

use std::fmt;

use crate::issuer::claim_match::ClaimMatch;
use crate::issuer::url::IssuerUrl;
use crate::judge::verified::Verified;
use crate::policy::member::Member;
use crate::shown::Shown;

/// The callers that a function lets in. The default is nobody.
///
/// ```
/// use host_tokens::{ClaimMatch, ClaimRule, Invoker, Invokers};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let github = "https://token.actions.githubusercontent.com".parse()?;
/// let repository = ClaimMatch::new("repository_id", ["1296269"])?;
/// let invokers = Invokers::new(vec![
///     Invoker::Member("user:ada@example.com".parse()?),
///     Invoker::Rule(ClaimRule::new(github, vec![repository])?),
/// ]);
/// assert!(!invokers.is_open());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invokers(Vec<Invoker>);

/// Somebody who may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Invoker {
    /// One member.
    Member(Member),
    /// Whoever a rule on claims fits.
    Rule(ClaimRule),
}

/// Lets in the tokens of one issuer whose claims are as asked, all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRule {
    issuer: IssuerUrl,
    claims: Vec<ClaimMatch>,
}

/// A rule that asks nothing of the claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the rule for {0} asks for no claim and would let in everybody whom that issuer knows; name at least one claim"
)]
pub struct EmptyRule(pub IssuerUrl);

/// A good token whose principal is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct NotInvoker {
    /// The caller, by the name to add.
    pub member: Member,
}

impl NotInvoker {
    /// The name to add, unless the caller chose one that a shell would act on: then it is not to be part of a command
    /// that somebody may copy.
    pub fn plain_name(&self) -> Option<String> {
        let name = self.member.to_string();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._:/#+=-".contains(&byte);
        name.bytes().all(is_plain).then_some(name)
    }
}

impl fmt::Display for NotInvoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain_name() {
            Some(name) => f.write_str(&name)?,
            None => write!(f, "{}", Shown::text(&self.member.to_string()))?,
        }
        f.write_str(" is not an invoker of this function")
    }
}

impl Invokers {
    /// Exactly these.
    pub fn new(invokers: Vec<Invoker>) -> Self {
        Self(invokers)
    }

    /// Whether everybody may call, with or without a token.
    pub fn is_open(&self) -> bool {
        self.0.contains(&Invoker::Member(Member::AllUsers))
    }

    /// Lets `caller` in, by the first that fits.
    ///
    /// # Errors
    /// If none fits.
    pub fn admit(&self, caller: &Verified) -> Result<&Invoker, NotInvoker> {
        let mut fitting = self.0.iter().filter(|invoker| invoker.is(caller));
        fitting.next().ok_or_else(|| NotInvoker {
            member: Member::of(caller),
        })
    }
}

impl Invoker {
    /// Whether it fits `caller`.
    pub fn is(&self, caller: &Verified) -> bool {
        match self {
            Self::Member(member) => member.is(caller),
            Self::Rule(rule) => rule.fits(caller),
        }
    }
}

impl ClaimRule {
    /// For tokens of `issuer` that match all of `claims`.
    ///
    /// # Errors
    /// If `claims` is empty.
    pub fn new(issuer: IssuerUrl, claims: Vec<ClaimMatch>) -> Result<Self, EmptyRule> {
        if claims.is_empty() {
            return Err(EmptyRule(issuer));
        }
        Ok(Self { issuer, claims })
    }

    /// Whether it fits `caller`.
    pub fn fits(&self, caller: &Verified) -> bool {
        caller.principal.issuer == self.issuer
            && self
                .claims
                .iter()
                .all(|claim| claim.matches(&caller.claims))
    }
}

impl fmt::Display for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(member) => write!(f, "{member}"),
            Self::Rule(rule) => write!(f, "{rule}"),
        }
    }
}

impl fmt::Display for ClaimRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claims of {}: ", self.issuer)?;
        for (place, claim) in self.claims.iter().enumerate() {
            let and = if place == 0 { "" } else { ", " };
            write!(f, "{and}{claim}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
