//! `host keyvalue`

mod delete;
mod get;
mod list;
mod set;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use super::client::{ClientArgs, encoded};

/// Read and change what functions keep by `wasi:keyvalue`
///
/// A function has a bucket of its own, and those that `--keyvalue-bucket` of `host functions deploy` names, which it shares.
/// A host may serve meanwhile.
#[derive(Args)]
pub(super) struct KeyValue {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Get(get::Get),
    Set(set::Set),
    List(Box<list::List>),
    Delete(delete::Delete),
}

impl KeyValue {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Get(get) => get.run(),
            Verb::Set(set) => set.run(),
            Verb::List(list) => list.run(),
            Verb::Delete(delete) => delete.run(),
        }
    }
}

/// Whose bucket it is about.
#[derive(Args)]
struct BucketArgs {
    /// The function, or the component that was served by this name; with --bucket, a shared bucket
    name: String,

    /// NAME is that of a shared bucket
    #[arg(long)]
    bucket: bool,

    #[command(flatten)]
    host: ClientArgs,
}

impl BucketArgs {
    /// The path of `what` in the bucket, with a query that may go on.
    fn path(&self, what: &str) -> String {
        let (name, is_shared) = (encoded(&self.name), self.bucket);
        format!("/host/v1/buckets/{name}/{what}?shared={is_shared}")
    }

    /// The path of the entry of `key`.
    fn entry(&self, key: &str) -> String {
        format!("{}&key={}", self.path("entry"), encoded(key))
    }
}
