//! `host keyvalue`

mod delete;
mod get;
mod list;
mod set;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use super::state::StateDirectory;
use crate::config::values::bucket_name;
use crate::store::{BucketName, Store};

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
    state: StateDirectory,
}

impl BucketArgs {
    /// The store and the bucket in it, which is there.
    fn find(&self) -> Result<(Store, BucketName), Message> {
        let store = self.state.store()?;
        let bucket = match self.bucket {
            true => store.shared_bucket(&self.name)?,
            false => store.own_bucket(&self.name)?,
        };
        Ok((store, bucket))
    }

    /// The store and the bucket, which need not be there yet if it is a shared one.
    fn find_or_new(&self) -> Result<(Store, BucketName), Message> {
        let store = self.state.store()?;
        let bucket = match self.bucket {
            true => BucketName::Shared(bucket_name(&self.name)?),
            false => store.own_bucket(&self.name)?,
        };
        Ok((store, bucket))
    }

    /// Says that there is no such key.
    fn no_key(&self, key: &str) -> Message {
        format!("there is no key `{key}` in the bucket [{}]", self.name)
    }
}
