//! Whose tokens `host serve` trusts.

use clap::Args;
use host_tokens::{IssuerUrl, Member, ServiceAccounts, SigningAlgorithm};

use super::super::Message;
use super::super::outside_issuers::outside_issuers;
use super::super::state::State;
use crate::config::{HostTable, values};
use crate::serve::{ComponentAccess, IdentityOptions};

#[derive(Args)]
#[command(next_help_heading = "Tokens")]
pub(super) struct IdentityArgs {
    /// Let anyone call
    #[arg(
        long,
        requires = "component",
        conflicts_with = "no_allow_unauthenticated"
    )]
    allow_unauthenticated: bool,

    /// Let only callers with a good token call: one of this host's service accounts, unless --invoker says otherwise
    #[arg(long, requires = "component")]
    no_allow_unauthenticated: bool,

    /// Who may call: serviceAccount:EMAIL, user:EMAIL or principal:ISSUER#SUBJECT; once for each
    #[arg(long, requires = "no_allow_unauthenticated", value_name = "MEMBER")]
    invoker: Vec<Member>,

    /// Trust tokens of this OpenID provider as well, by its URL; once for each
    #[arg(long, value_name = "URL")]
    issuer: Vec<String>,

    /// An audience that tokens of --issuer may be for, beside the functions' addresses; once for each
    #[arg(long, requires = "issuer", value_name = "AUDIENCE")]
    audience: Vec<String>,

    /// An address by which callers know this host, such as https://functions.example.com; once for each
    #[arg(long, value_name = "URL")]
    public_url: Vec<String>,

    /// The name of this host's own issuer [default: the control plane's address, where its keys are]
    #[arg(long, value_name = "URL")]
    issuer_url: Option<IssuerUrl>,

    /// What new keys of this host's own issuer sign with: RS256, ES256 or EdDSA [default: RS256]
    #[arg(long, value_name = "ALGORITHM")]
    signing_algorithm: Option<SigningAlgorithm>,
}

impl IdentityArgs {
    /// Who may call the component, if it is said.
    pub(super) fn access(&self) -> Result<Option<ComponentAccess>, Message> {
        for member in &self.invoker {
            let checked = member.check(&ServiceAccounts::default());
            checked.map_err(|error| format!("--invoker {member}: {error}"))?;
        }
        match (self.allow_unauthenticated, self.no_allow_unauthenticated) {
            (true, _) => Ok(Some(ComponentAccess::Open)),
            (_, true) if self.invoker.contains(&Member::AllUsers) => Err(
                "--invoker allUsers lets in anyone, with or without a token; for that use --allow-unauthenticated".into(),
            ),
            (_, true) if self.invoker.is_empty() && !self.issuer.is_empty() => Err(
                "tokens of another issuer let nobody in by themselves; say who may call with --invoker, such as \
                 --invoker user:EMAIL"
                    .into(),
            ),
            (_, true) => Ok(Some(ComponentAccess::Private(self.invoker.clone()))),
            _ => Ok(None),
        }
    }

    /// Whose tokens let callers in.
    pub(super) fn options(
        self,
        host: &HostTable,
        state: &State,
    ) -> Result<IdentityOptions, Message> {
        let issuers = outside_issuers(&self.issuer, &self.audience)?;
        let mut public_urls = self.public_url;
        public_urls.extend(host.public_urls.iter().cloned());
        for url in &public_urls {
            values::public_url(url)?;
        }
        let issuer_url = match (self.issuer_url, &host.issuer_url) {
            (Some(url), _) => Some(url),
            (None, Some(url)) => Some(
                url.parse()
                    .map_err(|error| format!("issuer-url: {error}"))?,
            ),
            (None, None) => None,
        };
        let algorithm = match (self.signing_algorithm, &host.signing_algorithm) {
            (Some(algorithm), _) => algorithm,
            (None, Some(name)) => name
                .parse()
                .map_err(|error| format!("signing-algorithm: {error}"))?,
            (None, None) => SigningAlgorithm::default(),
        };
        Ok(IdentityOptions {
            store: state.directory()?,
            issuer_url,
            algorithm,
            public_urls,
            issuers,
        })
    }
}
