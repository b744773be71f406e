//! The component of the command line, which answers on every path that no other function has.

use std::sync::Arc;

use bytes::Bytes;

use super::catalog::{Catalog, Permits, Served};
use crate::identity::access::Access;
use crate::input;
use crate::serve::error::ServeError;
use crate::serve::options::ComponentOptions;
use crate::serve::watch::WatchedFile;
use host_sandbox::memory::MemoryShare;
use host_sandbox::{Sandbox, SandboxConfig};

/// The component, and where it is served.
pub(in crate::serve) struct RootComponent {
    options: ComponentOptions,
    access: Access,
    sandbox: Sandbox,
    catalog: Arc<Catalog>,
    file: WatchedFile,
}

impl RootComponent {
    /// Watches the component's file from now on. Whatever is in it draws on `memory_share`.
    pub(in crate::serve) fn new(
        mut options: ComponentOptions,
        memory_share: Option<MemoryShare>,
        access: Access,
        sandbox: Sandbox,
        catalog: Arc<Catalog>,
    ) -> Self {
        options.function.memory_share = memory_share;
        Self {
            file: WatchedFile::new(&options.file),
            options,
            access,
            sandbox,
            catalog,
        }
    }

    /// Loads the component and serves it in place of what was served before.
    ///
    /// # Errors
    /// If it cannot be loaded; then what was served before goes on.
    pub(in crate::serve) async fn load(&self) -> Result<(), ServeError> {
        let options = &self.options;
        let config = options.function.clone();
        let makes_ahead = config.warm.as_ref().is_some_and(|warm| warm.least > 0);
        let refused = |error| ServeError::Load {
            path: input::name(&options.file).into(),
            error,
        };
        let function = match input::is_stdin(&options.file) {
            true => {
                let most = SandboxConfig::default().component_bytes;
                let wasm = input::stdin("the component", most).map_err(ServeError::Stdin)?;
                self.sandbox
                    .load_bytes(Bytes::from_owner(wasm), config)
                    .await
            }
            false => self.sandbox.load(&options.file, config).await,
        };
        let function = function.map_err(refused)?;
        if makes_ahead {
            function.try_instance().await.map_err(refused)?;
        }
        self.catalog.set_root(Served {
            function,
            name: options.name.as_str().into(),
            access: self.access.clone(),
            permits: Permits::new(options.concurrency, None),
            hosts: Vec::new(),
        });
        Ok(())
    }

    /// Loads the component again and says how that went.
    pub(in crate::serve) async fn reload(&self) {
        let name = &self.options.name;
        match self.load().await {
            Ok(()) => tracing::info!("Function {name} was loaded again."),
            Err(error) => tracing::error!("function {name} goes on as it was: {error}"),
        }
    }

    /// Whether there is another component in the file, whole.
    pub(in crate::serve) fn has_changed(&mut self) -> bool {
        self.file.has_changed()
    }
}
