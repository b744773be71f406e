//! What is wrong below `[host]` and between tables, which the types of the keys do not say.

use std::ops::Range;
use std::sync::Arc;

use host_tokens::{IssuerUrl, Issuers, SigningAlgorithm};
use toml::de::DeTable;

use super::values::public_url;
use super::{ConfigError, ConfigFile};
use crate::identity::OwnIssuer;
use crate::logs::Collector;
use host_sandbox::OutboundPolicy;

impl ConfigFile {
    /// What is wrong with the value of `key` below `[host]`, where the file has it.
    pub fn bad_host(&self, key: &str, message: &str) -> ConfigError {
        self.at(self.place(key, None), message)
    }

    /// Finds what is wrong below `[host]`. Files that it names are not looked at.
    pub(super) fn check_host(&self) -> Result<(), ConfigError> {
        let host = self.host();
        for (certificate, key, names) in [
            (&host.tls_cert, &host.tls_key, "tls-cert and tls-key"),
            (
                &host.admin_tls_cert,
                &host.admin_tls_key,
                "admin-tls-cert and admin-tls-key",
            ),
        ] {
            if certificate.is_some() != key.is_some() {
                let message = format!("{names} go together; one of them is missing");
                return Err(self.at(None, &message));
            }
        }
        for (index, url) in host.public_urls.iter().enumerate() {
            public_url(url)
                .map_err(|error| self.at(self.place("public-urls", Some(index)), &error))?;
        }
        for (index, outlet) in host.job_allow_outbound.iter().enumerate() {
            let allowed = OutboundPolicy::default().allow(outlet);
            allowed.map_err(|error| {
                self.at(
                    self.place("job-allow-outbound", Some(index)),
                    &error.to_string(),
                )
            })?;
        }
        if let Some(algorithm) = &host.signing_algorithm {
            let read: Result<SigningAlgorithm, _> = algorithm.parse();
            read.map_err(|error| self.bad_host("signing-algorithm", &error.to_string()))?;
        }
        if let Some(endpoint) = &host.otlp_endpoint {
            Collector::new(endpoint, None, None)
                .map_err(|error| self.bad_host("otlp-endpoint", &error.to_string()))?;
        }
        self.check_issuers()
    }

    /// Finds issuers that go by one name: each other's, or that of the host's own.
    fn check_issuers(&self) -> Result<(), ConfigError> {
        let mut trusted = Vec::new();
        if let Some(url) = self.host().issuer_url {
            let url: Result<IssuerUrl, _> = url.parse();
            let url = url.map_err(|error| self.bad_host("issuer-url", &error.to_string()))?;
            let own = OwnIssuer {
                url,
                algorithm: SigningAlgorithm::default(),
            };
            trusted.push(Arc::new(own.config(Vec::new())));
        }
        for (span, issuer) in self.issuer_spans().zip(self.issuers()?) {
            trusted.push(issuer.config);
            let checked = Issuers::new(trusted.clone());
            checked.map_err(|error| self.at(Some(span), &error.to_string()))?;
        }
        Ok(())
    }

    /// Where the value of `key` below `[host]` stands, or the item `index` of it.
    fn place(&self, key: &str, index: Option<usize>) -> Option<Range<usize>> {
        let document = DeTable::parse(self.text()).ok()?;
        let value = document.get_ref().get("host")?.get_ref().get(key)?;
        match index {
            None => Some(value.span()),
            Some(index) => Some(value.get_ref().get(index)?.span()),
        }
    }
}
