//! The issuers that are trusted, and the choice among them.

use std::sync::Arc;

use crate::issuer::config::IssuerConfig;
use crate::issuer::url::IssuerUrl;
use crate::judge::refusal::Refusal;
use crate::shown::Shown;
use crate::token::jws::Jws;

/// The issuers that are trusted. No two go by the same name.
#[derive(Clone, Debug, Default)]
pub struct Issuers(Vec<Arc<IssuerConfig>>);

/// Issuers that cannot be trusted side by side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two issuers go by the name {name}; leave out one, or its alias")]
pub struct AmbiguousIssuer {
    /// The name, or the alias.
    pub name: String,
}

impl Issuers {
    /// # Errors
    /// If two of them go by the same name: one could then speak for the other.
    pub fn new(issuers: Vec<Arc<IssuerConfig>>) -> Result<Self, AmbiguousIssuer> {
        let mut names: Vec<&str> = issuers.iter().flat_map(|issuer| names(issuer)).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = pair[0].to_owned();
            return Err(AmbiguousIssuer { name });
        }
        Ok(Self(issuers))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<IssuerConfig>> {
        self.0.iter()
    }

    /// The one with this configured name.
    pub fn get(&self, issuer: &IssuerUrl) -> Option<&Arc<IssuerConfig>> {
        self.0.iter().find(|own| own.issuer == *issuer)
    }

    /// The one that the token says it comes from, which its signature has to prove.
    ///
    /// # Errors
    /// If the token names none, or one that is not trusted.
    pub fn choose(&self, token: &Jws<'_>) -> Result<&Arc<IssuerConfig>, Refusal> {
        let iss = token.unverified_issuer()?;
        self.0
            .iter()
            .find(|issuer| issuer.goes_by(iss))
            .ok_or_else(|| Refusal::UnknownIssuer(Shown::text(iss)))
    }
}

fn names(issuer: &IssuerConfig) -> impl Iterator<Item = &str> {
    std::iter::once(issuer.issuer.as_str()).chain(issuer.aliases.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    fn issuer(url: &str, aliases: &[&str]) -> Arc<IssuerConfig> {
        let mut config = IssuerConfig::new(url.parse().unwrap(), [Algorithm::Rs256]);
        config.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        Arc::new(config)
    }

    #[test]
    fn two_issuers_by_one_name_are_refused_as_is_an_alias_that_is_anothers_name() {
        for pair in [
            vec![
                issuer("https://a.example", &[]),
                issuer("https://a.example", &[]),
            ],
            vec![
                issuer("https://a.example", &[]),
                issuer("https://b.example", &["https://a.example"]),
            ],
        ] {
            let error = Issuers::new(pair).unwrap_err();
            assert_eq!(error.name, "https://a.example");
        }
        let apart = vec![
            issuer("https://a.example", &["a"]),
            issuer("https://a.example/", &[]),
        ];
        assert!(Issuers::new(apart).is_ok());
    }
}
