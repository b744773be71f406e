//! Whose tokens `host serve` trusts.

use clap::Args;
use host_tokens::{Member, ServiceAccounts, SigningAlgorithm};

use super::super::Message;
use super::super::flags::{Flags, HostSection};
use super::super::state::StateDirectory;
use crate::api::outside_issuers;
use crate::config::{HostSettings, values};
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

    #[command(flatten)]
    pub(super) host: Flags<Tokens>,
}

pub(super) struct Tokens;

impl HostSection for Tokens {
    const NAME: &'static str = "Tokens";
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
        host: &HostSettings,
        state: &StateDirectory,
    ) -> Result<IdentityOptions, Message> {
        let issuers = outside_issuers(&self.issuer, &self.audience)?;
        for url in &host.public_urls {
            values::public_url(url)?;
        }
        let issuer_url = host.issuer_url.as_ref().map(|url| url.parse());
        let issuer_url = issuer_url
            .transpose()
            .map_err(|error| format!("issuer-url: {error}"))?;
        let algorithm = match &host.signing_algorithm {
            Some(name) => name
                .parse()
                .map_err(|error| format!("signing-algorithm: {error}"))?,
            None => SigningAlgorithm::default(),
        };
        Ok(IdentityOptions {
            store: state.directory()?,
            issuer_url,
            algorithm,
            public_urls: host.public_urls.clone(),
            issuers,
        })
    }
}
