//! `host iam keys`

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use host_tokens::{Phase, SigningAlgorithm};
use serde_json::json;

use super::super::Message;
use super::super::listing::{Item, Listed};
use super::super::own_issuer::{own_issuer, settle_identity};
use super::super::state::StateDirectory;
use crate::identity::key_times;
use crate::stderr;
use crate::store::Store;

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
    state: StateDirectory,
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
    state: StateDirectory,
}

impl Keys {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::List(list) => {
                show(&list.state.store()?, &list.listed)?;
            }
            Verb::Rotate(rotate) => {
                let store = rotate.state.store_or_new()?;
                let issuer = own_issuer(&store, rotate.algorithm)?;
                if rotate.algorithm.is_some() {
                    issuer.forget_other_next_key(&store)?;
                }
                let rotated = issuer.rotate(&store, rotate.at_once, SystemTime::now());
                let rotated = rotated.map_err(|error| error.to_string())?;
                settle_identity(&store)?;
                if !rotated {
                    stderr::line!(
                        "The next key is published already, and signs once everybody can know it, two days after it was \
                         published; --at-once does not wait for that."
                    );
                }
                show(&store, &Listed::default())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(store: &Store, listed: &Listed) -> Result<(), Message> {
    let keys = store.signing_keys()?;
    let phases = key_times(&keys)
        .into_iter()
        .map(|record| match record.phase() {
            Phase::Next => "NEXT",
            Phase::Current => "CURRENT",
            Phase::Previous => "PREVIOUS",
        });
    let items = keys.iter().zip(phases).map(|(key, phase)| {
        let (id, algorithm) = (key.id.clone(), key.algorithm.clone());
        let value = json!({
            "keyId": key.id,
            "algorithm": key.algorithm,
            "state": phase,
            "publishTime": time(key.published),
            "signTime": key.signing.map(time),
            "retireTime": key.retired.map(time),
        });
        let row = [id, algorithm, phase.to_owned(), time(key.published)];
        Item { value, row }
    });
    let head = ["KEY_ID", "ALGORITHM", "STATE", "PUBLISHED"];
    listed.show(head, items.collect())
}

fn time(seconds: i64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs());
    jiff::Timestamp::try_from(time).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
