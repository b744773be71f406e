use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host_tokens::{Algorithm, EmailTrust, IssuerConfig, IssuerUrl, Preset, PresetSettings};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::Time;
use crate::identity::{KeySource, KeyTls, parse_keys_url};
use crate::store::ClaimValues;
use host_sandbox::outbound::authorities;

/// An issuer whose tokens are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct IssuerTable {
    /// The kind of provider, which knows its traps: google, github-actions, gitlab, circleci, buildkite, kubernetes, aks,
    /// keycloak, entra, auth0, okta, firebase, cognito, dex or generic; if none is named, the one that the URL shows
    #[schemars(extend("enum" = [
        "google", "github-actions", "gitlab", "circleci", "buildkite", "kubernetes", "aks", "keycloak", "entra", "auth0",
        "okta", "firebase", "cognito", "dex", "generic", null
    ]))]
    pub provider: Option<String>,
    /// Its URL, to the letter as its tokens have it
    pub url: Option<String>,
    /// The id of the tenant, for Entra
    pub tenant: Option<String>,
    /// Audiences that its tokens may be for, beside the addresses of functions
    pub audiences: Vec<String>,
    /// Clients that its tokens may have been issued to; any, if none are named
    pub authorized_parties: Vec<String>,
    /// Algorithms that it may sign with, in place of the provider's
    pub algorithms: Vec<String>,
    /// Whether its access tokens are accepted beside its ID tokens: those of type at+jwt, and of Entra, Auth0 and Okta
    /// those that their claims show to be ones
    pub access_tokens: bool,
    /// What its claims must be
    pub require: BTreeMap<String, ClaimValues>,
    /// Domains whose e-mail addresses it may vouch for, in place of the provider's
    pub email_domains: Option<Vec<String>>,
    /// By how much its clock may differ
    pub leeway: Option<Time>,
    /// The longest time from issue to expiry
    pub max_lifetime: Option<Time>,
    /// The longest time since issue
    pub max_age: Option<Time>,
    /// Where its keys are, if its discovery document is not to be asked
    pub keys_url: Option<String>,
    /// Certificate authorities (PEM) that are trusted beside the public ones when its keys are fetched
    pub ca_file: Option<PathBuf>,
    /// A file with a token to be sent along when its keys are fetched
    pub bearer_file: Option<PathBuf>,
}

impl IssuerTable {
    /// The issuer, and where its keys are; paths begin at `directory`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(crate) fn issuer(&self, directory: &Path) -> Result<(IssuerConfig, KeySource), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let preset = self.preset()?;
        let mut config = self.preset_config(preset)?;
        config = config
            .with_audiences(&self.audiences)
            .with_authorized_parties(&self.authorized_parties);
        if !self.algorithms.is_empty() {
            let algorithms = self.algorithms.iter().map(|name| name.parse::<Algorithm>());
            let algorithms: Result<Vec<_>, _> = algorithms.collect();
            config = config.with_algorithms(algorithms.map_err(|error| text(&error))?);
        }
        for (claim, values) in &self.require {
            let required = values.required_of(claim);
            config = config.with_required(required.map_err(|error| text(&error))?);
        }
        if let Some(domains) = &self.email_domains {
            let emails = EmailTrust::domains(domains);
            config = config.with_emails(emails.map_err(|error| text(&error))?);
        }
        if let Some(time) = self.leeway {
            config = config.with_leeway(time.0);
        }
        if let Some(time) = self.max_lifetime {
            config = config.with_max_lifetime(time.0);
        }
        if let Some(time) = self.max_age {
            config = config.with_max_age(time.0);
        }
        let keys_url = self.keys_url.as_deref().or(preset.keys_url());
        let keys_url = keys_url.map(parse_keys_url).transpose();
        let source = KeySource::new(
            config.issuer().clone(),
            keys_url.map_err(|error| text(&error))?,
            self.bearer_file.as_ref().map(|file| directory.join(file)),
            self.tls(directory)?,
        );
        Ok((config, source))
    }

    /// Whose tokens it is about, whatever else of it is wrong.
    ///
    /// # Errors
    /// If that cannot be told.
    pub(super) fn issuer_url(&self) -> Result<IssuerUrl, String> {
        Ok(self.preset_config(self.preset()?)?.issuer().clone())
    }

    fn preset_config(&self, preset: Preset) -> Result<IssuerConfig, String> {
        let mut settings = PresetSettings::new().with_access_tokens(self.access_tokens);
        if let Some(url) = &self.url {
            settings = settings.with_issuer(url);
        }
        if let Some(tenant) = &self.tenant {
            settings = settings.with_tenant(tenant);
        }
        preset.issuer(settings).map_err(|error| error.to_string())
    }

    /// What is named, or what the URL shows.
    fn preset(&self) -> Result<Preset, String> {
        match (&self.provider, self.url.as_deref()) {
            (Some(name), _) => name
                .parse()
                .map_err(|error: host_tokens::PresetError| error.to_string()),
            (None, Some(url)) => Ok(Preset::of_url(url)),
            (None, None) => Err("names neither a provider nor a URL; expected one of them".into()),
        }
    }

    /// The certificate authorities that are trusted beside the public ones, and how to connect with all of them.
    fn tls(&self, directory: &Path) -> Result<KeyTls, String> {
        let Some(file) = &self.ca_file else {
            let config = authorities::client_config(&[]);
            let config = config.map_err(|error| error.to_string())?;
            return Ok(KeyTls {
                config,
                authorities: Vec::new(),
            });
        };
        let mut others = Vec::new();
        let path = directory.join(file);
        let unusable = |error: &dyn std::fmt::Display| {
            format!("{}: {error}; expected certificates in PEM", path.display())
        };
        let certificates =
            CertificateDer::pem_file_iter(&path).map_err(|error| unusable(&error))?;
        for certificate in certificates {
            others.push(certificate.map_err(|error| unusable(&error))?);
        }
        let config = authorities::client_config(&others).map_err(|error| unusable(&error))?;
        Ok(KeyTls {
            config,
            authorities: others,
        })
    }
}
