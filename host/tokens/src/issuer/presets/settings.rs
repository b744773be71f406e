//! The settings of a preset.

/// What a preset has to know of the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresetSettings<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) tenant: Option<&'a str>,
    pub(super) access_tokens: bool,
}

impl<'a> PresetSettings<'a> {
    /// No settings: enough for a provider with one issuer for everybody.
    pub fn new() -> Self {
        Self::default()
    }

    /// The issuer's URL, where the preset does not know it.
    #[must_use]
    pub fn with_issuer(mut self, url: &'a str) -> Self {
        self.issuer = Some(url);
        self
    }

    /// The id of the tenant, for Entra, where its URL does not have it.
    #[must_use]
    pub fn with_tenant(mut self, tenant: &'a str) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Whether access tokens are accepted beside ID tokens. Without this they are not.
    #[must_use]
    pub fn with_access_tokens(mut self, are_accepted: bool) -> Self {
        self.access_tokens = are_accepted;
        self
    }
}
