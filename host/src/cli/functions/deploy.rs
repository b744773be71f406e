//! `host functions deploy`

mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::format::print;
use super::super::state::State;
use super::{base_url, settle};
use crate::function::{Limits, Sandbox, SandboxConfig};
use crate::store::{FunctionName, FunctionSettings, StoreError};
use settings::SettingArgs;

/// Deploy a function, or change one
///
/// The component is checked and compiled first; if it cannot be served, nothing changes. A serving host takes the change
/// up at once, and no request fails. Settings that are not named stay as they are.
#[derive(Args)]
pub(super) struct Deploy {
    /// The function
    name: FunctionName,

    /// Its component, a .wasm file; may be left out where only settings change
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,

    /// Let HTTP requests trigger it; there is no other trigger
    #[arg(long)]
    trigger_http: bool,

    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    state: State,
}

impl Deploy {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
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
        let settings = before.map_or_else(FunctionSettings::default, |before| before.settings);
        let settings = self.settings.apply(settings)?;
        let wasm = self
            .source
            .as_deref()
            .map(|_| self.compile(&settings))
            .transpose()?;
        let record = store
            .deploy(&self.name, wasm.as_deref(), &settings)
            .map_err(|error| error.to_string())?;
        eprintln!(
            "Deployed revision {} of [{}].",
            record.revision, record.name
        );
        if record.settings.lets_nobody_in() {
            eprintln!(
                "warning: nobody may call [{0}] yet; let a service account with `host functions \
                 add-iam-policy-binding {0} --member serviceAccount:EMAIL --role roles/cloudfunctions.invoker`",
                record.name
            );
        }
        settle(&store, &record)?;
        print(&format!("url: {}/{}\n", base_url(&store)?, record.name))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The component's bytes, once it is known that it can be served. Its compiled form is kept for the host.
    fn compile(&self, settings: &FunctionSettings) -> Result<Vec<u8>, Message> {
        let Some(source) = &self.source else {
            return Ok(Vec::new());
        };
        eprintln!("Checking and compiling {} …", source.display());
        let sandbox = Sandbox::new(SandboxConfig {
            cache: self.state.compile_cache(),
            ..SandboxConfig::default()
        })
        .map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        let limits = Limits {
            memory: settings.memory,
            ..Limits::default()
        };
        let load = async {
            let wasm = sandbox.read_component(source)?;
            let function = sandbox.load_bytes(wasm.clone(), limits).await?;
            function.try_instance().await?;
            Ok(wasm)
        };
        runtime
            .block_on(load)
            .map_err(|error: crate::function::LoadError| format!("{}: {error}", source.display()))
    }
}
