//! `host iam keys`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use host_tokens::SigningAlgorithm;
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::ClientArgs;
use super::super::listing::{Item, Listed};
use crate::stderr;

/// List and rotate the keys of the host's own issuer
#[derive(Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(Box<List>),
    Rotate(Rotate),
}

/// List the keys that are published
#[derive(Args)]
struct List {
    #[command(flatten)]
    listed: Listed,

    #[command(flatten)]
    host: ClientArgs,
}

/// Begin a rotation before it is due, or go on with one
///
/// The next key is published first, and signs once everybody can know it: two days later, or at the next `rotate` after
/// that. The last key is published until its tokens are dead.
#[derive(Args)]
struct Rotate {
    /// Let the next key sign at once, whether or not others can know it; for a key that is not to be trusted any more
    #[arg(long)]
    at_once: bool,

    /// What the next key signs with: RS256, ES256 or EdDSA [default: as the next key does that there is, or RS256]
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<SigningAlgorithm>,

    #[command(flatten)]
    host: ClientArgs,
}

impl Keys {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::List(list) => {
                let answer = list.host.client()?.get("/host/v1/keys")?;
                show(&answer, &list.listed)?;
            }
            Verb::Rotate(rotate) => {
                let algorithm = rotate.algorithm.map(|algorithm| algorithm.to_string());
                let wanted = json!({ "atOnce": rotate.at_once, "algorithm": algorithm });
                let host = rotate.host.client_or_new()?;
                let answer = host.post("/host/v1/keys:rotate", &wanted)?;
                if answer["rotated"] == false {
                    stderr::line!(
                        "The next key is published already, and signs once everybody can know it, two days after it was \
                         published; --at-once does not wait for that."
                    );
                }
                show(&answer, &Listed::default())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(answer: &Value, listed: &Listed) -> Result<(), Message> {
    let keys = answer["keys"].as_array().into_iter().flatten();
    let items = keys.map(|key| {
        let row = ["keyId", "algorithm", "state", "publishTime"];
        Item {
            row: row.map(|field| key[field].as_str().unwrap_or_default().to_owned()),
            value: key.clone(),
        }
    });
    let head = ["KEY_ID", "ALGORITHM", "STATE", "PUBLISHED"];
    listed.show(head, items.collect())
}
