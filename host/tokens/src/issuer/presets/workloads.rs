//! Providers whose tokens stand for jobs and services, not for people: none of them vouches for an e-mail address.

use super::{Preset, PresetError, PresetSettings, USUAL, is_uuid, other, secure};
use crate::algorithm::Algorithm;
use crate::issuer::config::{EmailTrust, IssuerConfig};
use crate::issuer::url::IssuerUrl;

const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
const GITLAB: &str = "https://gitlab.com";
const CIRCLECI: &str = "https://oidc.circleci.com/org/";
const BUILDKITE: &str = "https://agent.buildkite.com";

/// An enterprise has an issuer of its own, with its name behind the common one or on its own server.
pub(super) fn github_actions(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let issuer = secure(settings.issuer.unwrap_or(GITHUB_ACTIONS))?;
    Ok(of_jobs(issuer))
}

/// An instance of its own goes by its own URL.
pub(super) fn gitlab(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let url = settings.issuer.unwrap_or(GITLAB);
    if url.ends_with('/') {
        let expected = "https://gitlab.com or the URL of your instance, without a slash at the end";
        return Err(other(url, Preset::Gitlab, expected));
    }
    Ok(of_jobs(secure(url)?))
}

/// Each organisation has an issuer.
pub(super) fn circleci(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let given = Preset::Circleci.given(settings)?;
    let url = given.as_str();
    // A server of one's own has another host.
    let is_clouds = url.starts_with("https://oidc.circleci.com");
    if is_clouds && !url.strip_prefix(CIRCLECI).is_some_and(is_uuid) {
        let expected = "https://oidc.circleci.com/org/ORGANISATION_ID without a slash at the end";
        return Err(other(url, Preset::Circleci, expected));
    }
    Ok(of_jobs(given))
}

pub(super) fn buildkite(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    match settings.issuer.filter(|url| *url != BUILDKITE) {
        Some(url) => Err(other(
            url,
            Preset::Buildkite,
            "https://agent.buildkite.com, or none",
        )),
        None => Ok(of_jobs(secure(BUILDKITE)?)),
    }
}

pub(super) fn kubernetes(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let issuer = Preset::Kubernetes.given(settings)?;
    Ok(IssuerConfig {
        emails: EmailTrust::None,
        ..IssuerConfig::new(issuer, USUAL)
    })
}

pub(super) fn aks(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let given = Preset::Aks.given(settings)?;
    Ok(of_jobs(match given.as_str().ends_with('/') {
        true => given,
        false => secure(&format!("{given}/"))?,
    }))
}

fn of_jobs(issuer: IssuerUrl) -> IssuerConfig {
    IssuerConfig {
        emails: EmailTrust::None,
        ..IssuerConfig::new(issuer, [Algorithm::Rs256])
    }
}
