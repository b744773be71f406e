//! Providers that many use, each with the settings that its tokens need and the traps that it sets.

mod error;
mod settings;
mod workloads;

use std::fmt;
use std::str::FromStr;

use crate::algorithm::Algorithm;
use crate::issuer::claim_match::ClaimMatch;
use crate::issuer::config::{EmailTrust, IssuerConfig};
use crate::issuer::url::IssuerUrl;
pub use error::PresetError;
pub use settings::PresetSettings;

/// A kind of provider.
///
/// ```
/// use host_tokens::{Preset, PresetSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "https://id.example/realms/staff";
/// assert_eq!(Preset::of_url(url), Preset::Keycloak);
/// let config = Preset::Keycloak.issuer(PresetSettings::new().with_issuer(url))?;
/// assert_eq!(config.issuer().as_str(), url);
///
/// // Entra has an issuer for each tenant, so it needs the tenant.
/// assert!(Preset::Entra.issuer(PresetSettings::new()).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// Google's ID tokens, of users and service accounts. Older tokens have the issuer without its scheme, so that is
    /// an alias, for Google only.
    Google,
    /// GitHub Actions. Names of organisations and repositories move from owner to owner: match `repository_id` or
    /// `repository_owner_id`. Its tokens name no e-mail address.
    GithubActions,
    /// Jobs of GitLab CI. People who sign in with GitLab have tokens of the same issuer, with other claims. Paths of
    /// projects and groups move: match `project_id` or `namespace_id`, which are texts of digits.
    Gitlab,
    /// Jobs of CircleCI, where each organisation has an issuer. Match `oidc.circleci.com/project-id`; a job that was run
    /// again with SSH says so in `oidc.circleci.com/ssh-rerun`.
    Circleci,
    /// Jobs of Buildkite. All organisations have one issuer: match `organization_id`, and `pipeline_id`.
    Buildkite,
    /// Service accounts of a Kubernetes cluster. Its tokens may live for up to a year unless bounded by
    /// `expirationSeconds`; the usual maximum of a day applies.
    Kubernetes,
    /// Service accounts of a cluster of Azure Kubernetes Service, whose issuer ends in a slash.
    Aks,
    /// A realm of Keycloak, which issues ID, access, refresh and logout tokens under one issuer with one set of keys,
    /// which only the claim `typ` tells apart.
    Keycloak,
    /// A tenant of Microsoft Entra ID. Its keys have no `alg`, the tenant's id has to be in the claim `tid` too, its access
    /// tokens have the type of ID tokens and are told from them by their claims, and its
    /// e-mail addresses are whatever an administrator of any tenant typed: none is used.
    Entra,
    /// A tenant of Auth0, whose issuer ends in a slash. Its access tokens are told from its ID tokens by their claims.
    Auth0,
    /// An authorization server of Okta. Its access tokens are told from its ID tokens by their claims; those of an
    /// organisation's own server are for Okta alone.
    Okta,
    /// The users of a Firebase project, which is the audience of all of their tokens. Anybody can become one unless the
    /// project says otherwise.
    Firebase,
    /// A user pool of Amazon Cognito, which issues ID and access tokens under one issuer, told apart by `token_use`.
    /// Its access tokens have no audience and so are never accepted.
    Cognito,
    /// Dex.
    Dex,
    /// Any OpenID provider.
    Generic,
}

/// What providers sign with when nothing else is known of them.
const USUAL: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

/// The domains of Okta.
const OKTA: [&str; 4] = [
    ".okta.com",
    ".oktapreview.com",
    ".okta-emea.com",
    ".okta-gov.com",
];

const GOOGLE: &str = "https://accounts.google.com";
const FIREBASE: &str = "https://securetoken.google.com/";
/// Certificates by the names of their keys.
const FIREBASE_KEYS: &str =
    "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";

impl Preset {
    /// All presets.
    pub const ALL: [Self; 15] = [
        Self::Google,
        Self::GithubActions,
        Self::Gitlab,
        Self::Circleci,
        Self::Buildkite,
        Self::Kubernetes,
        Self::Aks,
        Self::Keycloak,
        Self::Entra,
        Self::Auth0,
        Self::Okta,
        Self::Firebase,
        Self::Cognito,
        Self::Dex,
        Self::Generic,
    ];

    /// Its name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GithubActions => "github-actions",
            Self::Gitlab => "gitlab",
            Self::Circleci => "circleci",
            Self::Buildkite => "buildkite",
            Self::Kubernetes => "kubernetes",
            Self::Aks => "aks",
            Self::Keycloak => "keycloak",
            Self::Entra => "entra",
            Self::Auth0 => "auth0",
            Self::Okta => "okta",
            Self::Firebase => "firebase",
            Self::Cognito => "cognito",
            Self::Dex => "dex",
            Self::Generic => "generic",
        }
    }

    /// The provider whose issuers have such URLs. Unlike a name that is given, this is a guess, and on the safe side: what
    /// a preset adds is what else would be a trap.
    pub fn of_url(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.split(':').next().unwrap_or(authority);
        let host = host.to_ascii_lowercase();
        let is_amazons = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        match host.as_str() {
            "accounts.google.com" => Self::Google,
            "token.actions.githubusercontent.com" => Self::GithubActions,
            "gitlab.com" => Self::Gitlab,
            "oidc.circleci.com" => Self::Circleci,
            "agent.buildkite.com" => Self::Buildkite,
            "securetoken.google.com" => Self::Firebase,
            "login.microsoftonline.com" | "sts.windows.net" => Self::Entra,
            // A cluster by itself, and those of Google.
            "kubernetes.default.svc" | "container.googleapis.com" => Self::Kubernetes,
            host if host.starts_with("kubernetes.default.svc.") => Self::Kubernetes,
            host if is_amazons && host.starts_with("cognito-idp.") => Self::Cognito,
            host if is_amazons && host.starts_with("oidc.eks.") => Self::Kubernetes,
            "oidc.prod-aks.azure.com" => Self::Aks,
            host if host.ends_with(".oic.prod-aks.azure.com") => Self::Aks,
            host if host.ends_with(".auth0.com") => Self::Auth0,
            host if OKTA.iter().any(|domain| host.ends_with(domain)) => Self::Okta,
            _ if format!("/{path}").contains("/realms/") => Self::Keycloak,
            _ => Self::Generic,
        }
    }

    /// The issuer with the settings that its tokens need.
    ///
    /// # Errors
    /// If a setting that the provider needs is missing, or one does not fit it.
    pub fn issuer(self, settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
        let mut config = match self {
            Self::Google => google(settings)?,
            Self::GithubActions => workloads::github_actions(settings)?,
            Self::Gitlab => workloads::gitlab(settings)?,
            Self::Circleci => workloads::circleci(settings)?,
            Self::Buildkite => workloads::buildkite(settings)?,
            Self::Kubernetes => workloads::kubernetes(settings)?,
            Self::Aks => workloads::aks(settings)?,
            Self::Keycloak => keycloak(settings)?,
            Self::Entra => entra(settings)?,
            Self::Auth0 => auth0(settings)?,
            Self::Okta => okta(settings)?,
            Self::Firebase => firebase(settings)?,
            Self::Cognito => cognito(settings)?,
            Self::Dex | Self::Generic => IssuerConfig::new(self.given(settings)?, USUAL),
        };
        config.access_token_claims = self.access_token_claims();
        Ok(config.with_access_tokens(settings.access_tokens))
    }

    /// Where the keys are, for providers whose discovery document need not be asked.
    pub fn keys_url(self) -> Option<&'static str> {
        (self == Self::Firebase).then_some(FIREBASE_KEYS)
    }

    /// The claims that access tokens of the provider have and ID tokens have not, where nothing else tells them apart:
    /// each of them marks one.
    fn access_token_claims(self) -> &'static [&'static str] {
        match self {
            Self::Entra => &["scp", "azpacr", "appid", "appidacr", "idtyp"],
            Self::Auth0 => &["scope", "gty", "permissions"],
            Self::Okta => &["cid", "scp", "uid"],
            _ => &[],
        }
    }

    fn given(self, settings: PresetSettings<'_>) -> Result<IssuerUrl, PresetError> {
        secure(settings.issuer.ok_or(PresetError::NoIssuer(self))?)
    }
}

fn google(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    if let Some(url) = settings.issuer.filter(|url| *url != GOOGLE) {
        return Err(other(
            url,
            Preset::Google,
            "https://accounts.google.com, or none",
        ));
    }
    if settings.access_tokens {
        return Err(PresetError::AccessTokens(Preset::Google));
    }
    let mut config = IssuerConfig::new(secure(GOOGLE)?, [Algorithm::Rs256]);
    config.aliases.push("accounts.google.com".into());
    Ok(config)
}

fn keycloak(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let given = Preset::Keycloak.given(settings)?;
    let expected = "https://HOST/realms/REALM without a slash at the end";
    let url = given.as_str();
    if !url.contains("/realms/") || url.ends_with('/') {
        return Err(other(url, Preset::Keycloak, expected));
    }
    let kinds: &[&str] = if settings.access_tokens {
        &["ID", "Bearer"]
    } else {
        &["ID"]
    };
    let mut config = IssuerConfig::new(given, USUAL);
    config
        .required
        .push(ClaimMatch::new("typ", kinds.iter().copied())?);
    Ok(config)
}

fn entra(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let named = settings.issuer.and_then(|url| url.split('/').nth(3));
    let tenant = settings.tenant.or(named).unwrap_or_default();
    if !is_uuid(tenant) {
        return Err(PresetError::Tenant(tenant.to_owned()));
    }
    let url = format!("https://login.microsoftonline.com/{tenant}/v2.0");
    if let Some(given) = settings.issuer.filter(|given| *given != url) {
        let expected = "https://login.microsoftonline.com/TENANT/v2.0, or none";
        return Err(other(given, Preset::Entra, expected));
    }
    let mut config = IssuerConfig::new(secure(&url)?, [Algorithm::Rs256]);
    if settings.access_tokens {
        // Access tokens of version 1, which is what an application gets unless its manifest asks for version 2.
        config
            .aliases
            .push(format!("https://sts.windows.net/{tenant}/"));
    }
    config.required.push(ClaimMatch::new("tid", [tenant])?);
    config.emails = EmailTrust::None;
    Ok(config)
}

fn auth0(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let given = Preset::Auth0.given(settings)?;
    let issuer = match given.as_str().ends_with('/') {
        true => given,
        false => secure(&format!("{given}/"))?,
    };
    Ok(IssuerConfig::new(
        issuer,
        [Algorithm::Rs256, Algorithm::Ps256],
    ))
}

/// An organisation has a server of its own, at its domain alone, and others below `/oauth2/`.
fn okta(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    let given = Preset::Okta.given(settings)?;
    let url = given.as_str();
    let path = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'));
    let server = path.map(|(_, path)| path.strip_prefix("oauth2/").unwrap_or_default());
    if server.is_some_and(|server| server.is_empty() || server.contains('/')) {
        let expected = "https://DOMAIN/oauth2/SERVER, such as /oauth2/default, or https://DOMAIN, without a slash at the \
                        end";
        return Err(other(url, Preset::Okta, expected));
    }
    if settings.access_tokens && server.is_none() {
        return Err(PresetError::OktasOwn);
    }
    Ok(IssuerConfig::new(given, [Algorithm::Rs256]))
}

fn firebase(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    if settings.access_tokens {
        return Err(PresetError::AccessTokens(Preset::Firebase));
    }
    let given = Preset::Firebase.given(settings)?;
    let project = given.as_str().strip_prefix(FIREBASE);
    let project = project.filter(|project| !project.is_empty() && !project.contains('/'));
    let Some(project) = project.map(str::to_owned) else {
        let expected = "https://securetoken.google.com/PROJECT without a slash at the end";
        return Err(other(given.as_str(), Preset::Firebase, expected));
    };
    let mut config = IssuerConfig::new(given, [Algorithm::Rs256]);
    config.audiences.push(project);
    Ok(config)
}

fn cognito(settings: PresetSettings<'_>) -> Result<IssuerConfig, PresetError> {
    if settings.access_tokens {
        return Err(PresetError::AccessTokens(Preset::Cognito));
    }
    let given = Preset::Cognito.given(settings)?;
    if given.as_str().ends_with('/') {
        let expected = "https://cognito-idp.REGION.amazonaws.com/POOL without a slash at the end";
        return Err(other(given.as_str(), Preset::Cognito, expected));
    }
    let mut config = IssuerConfig::new(given, [Algorithm::Rs256]);
    config.required.push(ClaimMatch::new("token_use", ["id"])?);
    Ok(config)
}

fn secure(url: &str) -> Result<IssuerUrl, PresetError> {
    let issuer: IssuerUrl = url.parse().map_err(|reason| PresetError::Issuer {
        url: url.to_owned(),
        reason,
    })?;
    if !issuer.is_secure() {
        return Err(PresetError::Insecure(url.to_owned()));
    }
    Ok(issuer)
}

fn other(url: &str, preset: Preset, expected: &'static str) -> PresetError {
    PresetError::OtherIssuer {
        url: url.to_owned(),
        preset,
        expected,
    }
}

/// In small letters, as Entra writes them; `common`, `organizations` and `consumers` stand for many tenants.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

impl FromStr for Preset {
    type Err = PresetError;

    fn from_str(text: &str) -> Result<Self, PresetError> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.name() == text)
            .ok_or_else(|| PresetError::Unknown(text.to_owned()))
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests;
