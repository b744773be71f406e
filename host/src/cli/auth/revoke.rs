//! `host auth revoke`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use host_tokens::IssuerUrl;
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::ClientArgs;
use crate::api::declared_issuers;
use crate::stderr;

/// Refuse tokens of a subject, with a name or of a key, at once and for good
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Revoke {
    /// The subject (`sub`) whose tokens are refused; of this host's own issuer also the address of an account
    #[arg(
        long,
        group = "what",
        value_name = "SUBJECT",
        allow_hyphen_values = true
    )]
    subject: Option<String>,

    /// The name (`jti`) of the token that is refused
    #[arg(long, group = "what", value_name = "ID", allow_hyphen_values = true)]
    token_id: Option<String>,

    /// The name (`kid`) of the key whose tokens are refused
    #[arg(long, group = "what", value_name = "ID", allow_hyphen_values = true)]
    key_id: Option<String>,

    /// Whose tokens they are [default: this host's own issuer]
    #[arg(long, value_name = "URL")]
    issuer: Option<IssuerUrl>,

    /// The file that names the issuers which are trusted, so that a mistyped --issuer is noticed
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    host: ClientArgs,
}

impl Revoke {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let known = self.known_issuers().unwrap_or_else(|error| {
            warn(&format!(
                "it is not clear which issuers are known here: {error}"
            ));
            Value::Null
        });
        let wanted = json!({
            "subject": self.subject,
            "tokenId": self.token_id,
            "keyId": self.key_id,
            "issuer": self.issuer.map(|issuer| issuer.to_string()),
            "knownIssuers": known,
        });
        let revoked = host.post("/host/v1/revocations", &wanted)?;
        for warning in revoked["warnings"].as_array().into_iter().flatten() {
            warn(warning.as_str().unwrap_or_default());
        }
        let [kind, value, issuer] =
            ["kind", "value", "issuer"].map(|field| revoked[field].as_str().unwrap_or_default());
        if revoked["signingKeyReplaced"] == true {
            stderr::line!(
                "The key [{value}] signed the tokens of this host; another one does so from now on."
            );
        }
        stderr::line!("Revoked the {kind} [{value}] of {issuer}.");
        Ok(ExitCode::SUCCESS)
    }

    /// The names of the issuers in the file of --config, each with its URL.
    fn known_issuers(&self) -> Result<Value, Message> {
        let Some(path) = &self.config else {
            return Ok(Value::Null);
        };
        let issuers = declared_issuers(path)?;
        let named = issuers.iter().flat_map(|issuer| {
            let url = issuer.config.issuer().to_string();
            let names = issuer.config.aliases().iter().cloned();
            let names = names.chain([url.clone()]);
            names.map(move |name| (name, json!(url)))
        });
        Ok(Value::Object(named.collect()))
    }
}

fn warn(warning: &str) {
    stderr::line!("warning: {warning}");
}
