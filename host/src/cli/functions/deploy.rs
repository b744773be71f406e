//! `host functions deploy`

mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;

use super::super::Message;
use super::super::compiler::CompilerArgs;
use super::super::format::print;
use super::super::state::StateDirectory;
use super::super::trial::Trial;
use super::{base_url, settle};
use crate::input;
use crate::stderr;
use crate::store::{FunctionName, FunctionRecord, FunctionSettings, Store, StoreError};
use settings::SettingArgs;

/// Deploy a function, or change one
///
/// The component is checked and compiled first; if it cannot be served, nothing changes. A serving host takes the change
/// up at once, and no request fails. Settings that are not named stay as they are.
#[derive(Args)]
pub(super) struct Deploy {
    /// The function
    name: FunctionName,

    /// Its component, a .wasm file, or `-` for standard input; may be left out where only settings change
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,

    /// Let HTTP requests trigger it; there is no other trigger
    #[arg(long)]
    trigger_http: bool,

    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    state: StateDirectory,

    #[command(flatten)]
    compiler: CompilerArgs,
}

impl Deploy {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        // What has a component can begin a store; what only changes settings needs one.
        let store = match self.source {
            Some(_) => self.state.store_or_new()?,
            None => self.state.store().map_err(|error| {
                format!(
                    "there is no function `{}` yet; name its component with --source ({error})",
                    self.name
                )
            })?,
        };
        let before = match store.function(&self.name) {
            Ok(record) => Some(record),
            Err(StoreError::NoFunction { .. }) => None,
            Err(error) => return Err(error.to_string()),
        };
        if before.is_none() && self.source.is_none() {
            return Err(format!(
                "there is no function `{}` yet; name its component with --source",
                self.name
            ));
        }
        self.settings.check_account(&store)?;
        let damage = before.as_ref().and_then(|before| before.damage.as_ref());
        if let Some(damage) = damage.filter(|_| self.source.is_some()) {
            stderr::line!(
                "warning: the settings that [{}] had cannot be read ({}), and are the defaults from now on, but for \
                 what this command says",
                self.name,
                damage.escape_debug()
            );
        }
        let settings = before.as_ref().map(|before| before.settings.clone());
        let settings = self.settings.apply(settings.unwrap_or_default())?;
        let wasm = self.try_out(&store, before.as_ref(), &settings)?;
        // Applied to what is there by now: somebody may have changed it while this one compiled.
        let apply = |settings| self.settings.apply(settings);
        let record = store.deploy(&self.name, wasm.as_deref(), apply)?;
        stderr::line!(
            "Deployed revision {} of [{}].",
            record.revision,
            record.name
        );
        if record.settings.lets_nobody_in() {
            stderr::line!(
                "warning: nobody may call [{0}] yet; let a service account with `host functions \
                 add-iam-policy-binding {0} --member serviceAccount:EMAIL --role roles/cloudfunctions.invoker`",
                record.name
            );
        }
        settle(&store, &record)?;
        print(&format!("url: {}/{}\n", base_url(&store)?, record.name))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Makes sure that the function can be served with `settings`, and gives its component's bytes if it is a new one.
    fn try_out(
        &self,
        store: &Store,
        before: Option<&FunctionRecord>,
        settings: &FunctionSettings,
    ) -> Result<Option<Bytes>, Message> {
        let trial = Trial::new(&self.state, self.compiler.compiler())?;
        if let Some(source) = &self.source {
            let name = input::name(source);
            stderr::line!("Checking and compiling {name} …");
            let wasm = trial.read(source, "--source")?;
            trial
                .run(&name, wasm.clone(), settings)
                .map_err(|error| format!("{name}: {error}"))?;
            return Ok(Some(wasm));
        }
        if let Some(before) = before {
            before.check()?;
            let wasm = store.component(&before.component)?;
            let wasm = wasm.ok_or("its component is gone; deploy it with --source")?;
            let tried = trial.run(self.name.as_str(), wasm.into(), settings);
            tried.map_err(|error| format!("the function `{}`: {error}", self.name))?;
        }
        Ok(None)
    }
}
