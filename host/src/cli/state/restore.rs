//! `host state restore`

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use host_tokens::{Revocation, RevokedKind};

use super::backup::Scratch;
use super::{StateDirectory, platform_directory};
use crate::cli::Message;
use crate::counted::counted;
use crate::identity::{OWN, OwnIssuer};
use crate::input;
use crate::stderr;
use crate::store::{DatedRevocation, Store, StoreError};

/// Make a new state directory of a backup
///
/// What was revoked after the backup was made is not in it: name the state that this one takes the place of with
/// --keep-revocations-of, and its revocations are kept.
#[derive(Args)]
pub(super) struct Restore {
    /// The backup, or `-` for standard input
    file: PathBuf,

    /// Keep the revocations of this state directory too, which the restored one takes the place of
    #[arg(long, value_name = "STATE")]
    keep_revocations_of: Option<PathBuf>,

    #[command(flatten)]
    state: StateDirectory,
}

impl Restore {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let directory = self.state.directory()?;
        // Before anything is made: without them the restored state would let in whom it should not.
        let kept = self.keep_revocations_of.as_deref().map(to_keep);
        let kept = kept.transpose()?;
        let store = match input::is_stdin(&self.file) {
            true => take_in(&directory)?,
            false => restored(&directory, &self.file)?,
        };
        let functions = store.functions().map_err(|error| text(&error))?;
        stderr::line!(
            "Restored {} to {}.",
            counted(functions.len(), "function"),
            directory.display()
        );
        match kept {
            Some(kept) => keep(&store, &kept)?,
            None => warn(&store, &directory)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says what the backup cannot know.
fn warn(store: &Store, directory: &Path) -> Result<(), Message> {
    stderr::line!(
        "warning: what was revoked, deleted or forbidden after the backup was made is not in it: tokens that were \
         revoked since are good again. Name the state that it takes the place of with --keep-revocations-of, or revoke \
         them anew."
    );
    // The state that is used where no flag names another is the one that is most likely meant.
    let usual = std::env::var_os("HOST_STATE_DIR").map(PathBuf::from);
    let usual = usual.or_else(platform_directory);
    let Some(usual) = usual.filter(|usual| usual != directory && Store::is_in(usual)) else {
        return Ok(());
    };
    let own = store.revocations().map_err(|error| error.to_string())?;
    for warning in not_restored(&usual, &own) {
        stderr::line!("warning: {warning}");
    }
    Ok(())
}

/// What is revoked in the state `usual` and not among `own`, or why that cannot be told.
fn not_restored(usual: &Path, own: &[Revocation]) -> Vec<String> {
    let place = usual.display();
    let others = match revocations_of(usual) {
        Ok(others) => others,
        Err(error) => {
            return vec![format!(
                "what is revoked in {place} cannot be read, and may be missing here: {error}"
            )];
        }
    };
    let missing = others.iter();
    let missing = missing.filter(|other| !own.contains(&other.revocation));
    missing
        .map(|missing| format!("not restored, but revoked in {place}: {}", shown(missing)))
        .collect()
}

fn revocations_of(directory: &Path) -> Result<Vec<DatedRevocation>, StoreError> {
    Store::open_briefly(directory)?.dated_revocations()
}

/// The revocations of `directory`, which must be there.
fn to_keep(directory: &Path) -> Result<Vec<DatedRevocation>, Message> {
    if !Store::is_in(directory) {
        return Err(format!(
            "there is no store in {}, so its revocations cannot be kept; nothing was restored",
            directory.display()
        ));
    }
    revocations_of(directory).map_err(|error| {
        format!(
            "the revocations of {} cannot be read, and nothing was restored: {error}",
            directory.display()
        )
    })
}

/// Keeps these revocations, and has another key sign if it is one of the host's own that is revoked.
fn keep(store: &Store, revocations: &[DatedRevocation]) -> Result<(), Message> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let added = store.keep_revocations(revocations);
    let added = added.map_err(|error| text(&error))?;
    let own = OwnIssuer::of(store, None).map_err(|error| error.to_string())?;
    for DatedRevocation { revocation, .. } in &added {
        if revocation.issuer == OWN && revocation.kind == RevokedKind::Key {
            let replaced = own.replace_key(store, &revocation.value, SystemTime::now());
            replaced.map_err(|error| text(&error))?;
        }
    }
    stderr::line!(
        "Kept {} newer than the backup.",
        counted(added.len(), "revocation")
    );
    for revocation in &added {
        stderr::line!("  {}", shown(revocation));
    }
    stderr::line!(
        "note: accounts that were deleted and callers that were removed after the backup was made are there again."
    );
    Ok(())
}

fn shown(dated: &DatedRevocation) -> String {
    let DatedRevocation { revocation, made } = dated;
    let issuer = match revocation.issuer.as_str() {
        OWN => "this host's own issuer",
        other => other,
    };
    let (kind, value) = (revocation.kind.word(), &revocation.value);
    format!("the {kind} [{value}] of {issuer}, revoked {made}")
}

/// Restores the backup that comes from standard input to `directory`.
fn take_in(directory: &Path) -> Result<Store, Message> {
    let scratch = Scratch::new(directory)?;
    let copied = File::create_new(scratch.file())
        .and_then(|mut file| io::copy(&mut io::stdin().lock(), &mut file));
    copied.map_err(|error| format!("cannot read the backup from standard input: {error}"))?;
    // Nobody knows the file by its name.
    let named = |error: String| error.replace(&*scratch.file().to_string_lossy(), input::STDIN);
    restored(directory, &scratch.file()).map_err(named)
}

fn restored(directory: &Path, file: &Path) -> Result<Store, Message> {
    Store::restore(directory, file).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_the_usual_state_has_more_is_told_and_so_is_why_it_cannot_be() {
        let parent = tempfile::tempdir().unwrap();
        let usual = parent.path().join("usual");
        fs::write(&usual, "no directory").unwrap();
        let told = not_restored(&usual, &[]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("cannot be read"), "{told:?}");
        assert!(told[0].contains(&usual.display().to_string()), "{told:?}");
        fs::remove_file(&usual).unwrap();
        let revoked = Revocation {
            issuer: OWN.into(),
            kind: RevokedKind::Subject,
            value: "somebody".into(),
        };
        let store = Store::open_briefly(&usual).unwrap();
        let dated = DatedRevocation {
            revocation: revoked.clone(),
            made: "2026-11-23T14:00:00Z".into(),
        };
        store.keep_revocations(&[dated]).unwrap();
        drop(store);
        let told = not_restored(&usual, &[]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("[somebody]"), "{told:?}");
        assert_eq!(not_restored(&usual, &[revoked]), [""; 0]);
    }
}
