//! Why a preset cannot be used.

use super::Preset;
use crate::issuer::claim_match::ClaimMatchError;
use crate::issuer::url::IssuerUrlError;

/// Why a preset cannot be used with the settings it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// No preset has this name.
    #[error(
        "no provider is known as {0:?}; expected google, github-actions, gitlab, circleci, buildkite, kubernetes, aks, \
         keycloak, entra, auth0, okta, firebase, cognito, dex or generic"
    )]
    Unknown(String),
    /// The preset needs the issuer's URL.
    #[error("the provider {0} has an issuer of its own; give its URL")]
    NoIssuer(Preset),
    /// The issuer's URL is none, or does not fit.
    #[error("cannot trust the issuer {url:?}: {reason}")]
    Issuer {
        /// The URL as it was given.
        url: String,
        /// What is wrong with it.
        reason: IssuerUrlError,
    },
    /// The URL is not one that the provider has.
    #[error("the issuer {url:?} is not one of {preset}; expected {expected}")]
    OtherIssuer {
        /// The URL as it was given.
        url: String,
        /// The provider.
        preset: Preset,
        /// What its URLs look like.
        expected: &'static str,
    },
    /// Keys could be exchanged on the way.
    #[error(
        "the issuer {0:?} is reached over plain http, where anybody on the way could exchange its keys; use https"
    )]
    Insecure(String),
    /// Entra without a tenant, or with the name of many tenants.
    #[error(
        "Entra needs the id of one tenant, such as 9188040d-6c67-4c5b-b112-36a304b66dad; {0:?} is not one"
    )]
    Tenant(String),
    /// The provider's access tokens cannot be checked.
    #[error("access tokens of {0} name no audience, so they cannot be accepted; use its ID tokens")]
    AccessTokens(Preset),
    /// The access tokens of an Okta organisation's own server.
    #[error(
        "access tokens of an Okta organisation's own server are for Okta alone; use those of a server such as \
         https://DOMAIN/oauth2/default, or ID tokens"
    )]
    OktasOwn,
    /// A rule of the preset.
    #[error(transparent)]
    Claim(#[from] ClaimMatchError),
}
