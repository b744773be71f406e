//! The issuers that can be told of without asking the host that serves.

use host_tokens::{IssuerUrl, Member, Preset, PresetSettings};

use crate::api::{Api, Request, Status};
use crate::store::FunctionRecord;

/// Names of issuers, each with the one that tokens are judged by.
#[derive(Debug, Default)]
pub(super) struct KnownIssuers(Vec<(String, IssuerUrl)>);

/// What is known of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// An issuer goes by it.
    Yes,
    /// An issuer has an alias or a name that is all but this one.
    Alike(&'a IssuerUrl),
    /// Nothing.
    No,
}

impl KnownIssuers {
    /// The host's own issuer, those that it was told of, those that policies of functions name, and those that everybody
    /// knows. What the caller is to know of them is added to `warnings`.
    ///
    /// # Errors
    /// If they cannot be found out.
    pub(super) fn new(
        api: &Api,
        request: &Request<'_>,
        own: &IssuerUrl,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Status> {
        let mut known = Self::default();
        known.add(own, []);
        let (issuers, warning) = api.outside_issuers(request)?;
        warnings.extend(warning);
        for issuer in issuers {
            known.add(issuer.config.issuer(), issuer.config.aliases().to_vec());
        }
        for function in api.store().functions()? {
            for issuer in named_in(&function) {
                known.add(&issuer, []);
            }
        }
        for preset in [Preset::Google, Preset::GithubActions] {
            // These two need no settings.
            if let Ok(config) = preset.issuer(PresetSettings::default()) {
                known.add(config.issuer(), config.aliases().to_vec());
            }
        }
        Ok(known)
    }

    /// Adds `issuer`, which goes by these names as well.
    pub(super) fn add(&mut self, issuer: &IssuerUrl, aliases: impl IntoIterator<Item = String>) {
        let names = std::iter::once(issuer.to_string()).chain(aliases);
        self.0.extend(names.map(|name| (name, issuer.clone())));
    }

    /// What is known of `url`.
    pub(super) fn look_up(&self, url: &IssuerUrl) -> Known<'_> {
        if self.0.iter().any(|(_, issuer)| issuer == url) {
            return Known::Yes;
        }
        let mut alike = self
            .0
            .iter()
            .filter(|(name, _)| core(name) == core(url.as_str()));
        alike
            .next()
            .map_or(Known::No, |(_, issuer)| Known::Alike(issuer))
    }
}

/// What is left of a name without the differences that are easily overlooked.
fn core(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let rest = name
        .split_once("://")
        .map_or(name.as_str(), |(_, rest)| rest);
    rest.trim_end_matches('/').to_owned()
}

/// Those that the policy of `function` names.
fn named_in(function: &FunctionRecord) -> Vec<IssuerUrl> {
    let members = function.settings.invokers.iter();
    let members = members.filter_map(|member| match member.parse() {
        Ok(Member::Principal(principal)) => Some(principal.issuer),
        _ => None,
    });
    let rules = function.settings.invoker_rules.iter();
    members
        .chain(rules.filter_map(|rule| rule.issuer.parse().ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_all_but_that_of_an_issuer_leads_to_it() {
        let google: IssuerUrl = "https://accounts.google.com".parse().unwrap();
        let entra: IssuerUrl = "https://login.microsoftonline.com/t/v2.0".parse().unwrap();
        let mut known = KnownIssuers::default();
        known.add(&google, ["accounts.google.com".to_owned()]);
        known.add(&entra, ["https://sts.windows.net/t/".to_owned()]);
        let look_up = |url: &str| known.look_up(&url.parse().unwrap());
        assert_eq!(look_up("https://accounts.google.com"), Known::Yes);
        for alike in [
            "https://accounts.google.com/",
            "http://accounts.google.com",
            "https://Accounts.Google.com",
        ] {
            assert_eq!(look_up(alike), Known::Alike(&google), "{alike}");
        }
        for alias in ["https://sts.windows.net/t/", "https://sts.windows.net/t"] {
            assert_eq!(look_up(alias), Known::Alike(&entra), "{alias}");
        }
        assert_eq!(look_up("https://accounts.google.com/x"), Known::No);
    }
}
