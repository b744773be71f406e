//! Compiled components, linked to what the host provides. Functions of one component have it in common.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::error::LoadError;
use super::generation::Generation;
use super::handler::HandlerPre;
use super::inspect::Inspection;
use super::platform::Platform;
use super::stacks::{HeldStacks, NoStack, Stacks};
use super::state::State;

/// A component that is ready to be instantiated.
pub(crate) struct Linked {
    inspection: Inspection,
    is_newly_compiled: bool,
    handler: HandlerPre,
    /// Where its executions take their stacks, if each takes more than one.
    stacks: Option<Stacks>,
    /// The same for the engine of components whose memory starts full, once it is needed.
    resident: OnceLock<HandlerPre>,
}

impl Linked {
    /// Links `component`, of which `inspection` says that this host can run it. It was found compiled, unless it
    /// `is_newly_compiled`.
    ///
    /// # Errors
    /// If its types are not those that the host provides.
    pub(crate) fn new(
        platform: &Platform,
        component: &Component,
        inspection: Inspection,
        is_newly_compiled: bool,
    ) -> Result<Self, LoadError> {
        let handler = link(platform.linker(), component, inspection.handler())?;
        Ok(Self {
            inspection,
            is_newly_compiled,
            handler,
            stacks: platform.stacks().map(Stacks::with_share),
            resident: OnceLock::new(),
        })
    }

    /// Links it for the engine of components whose memory starts full, too.
    ///
    /// # Errors
    /// If it cannot be loaded there.
    pub(crate) fn make_resident(
        &self,
        linker: &Linker<State>,
        load: impl FnOnce(&Component, &Engine) -> Result<Component, LoadError>,
    ) -> Result<(), LoadError> {
        if self.resident.get().is_none() {
            let component = load(self.handler.component(), linker.engine())?;
            let handler = link(linker, &component, self.inspection.handler())?;
            // Another thread may have been faster.
            let _ = self.resident.set(handler);
        }
        Ok(())
    }

    pub(crate) fn is_newly_compiled(&self) -> bool {
        self.is_newly_compiled
    }

    pub(crate) fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    pub(crate) fn handler(&self) -> &HandlerPre {
        &self.handler
    }

    pub(crate) fn resident(&self) -> Option<&HandlerPre> {
        self.resident.get()
    }

    /// Whether it runs where components of WASI 0.3 do.
    pub(crate) fn is_of_0_3(&self) -> bool {
        self.stacks.is_some()
    }

    /// Takes the stacks of an execution.
    ///
    /// # Errors
    /// If there are too few.
    pub(crate) fn take_stacks(&self) -> Result<Option<HeldStacks>, NoStack> {
        let stacks = self.stacks.as_ref();
        stacks
            .map(|stacks| stacks.take(self.inspection.parts))
            .transpose()
    }
}

fn link(
    linker: &Linker<State>,
    component: &Component,
    handler: Option<Generation>,
) -> Result<HandlerPre, LoadError> {
    let handler = handler.unwrap_or(Generation::Wasi02);
    let linked = HandlerPre::link(linker, component, handler)
        .map_err(|error| LoadError::Link(format!("{error:#}")))?;
    component
        .initialize_copy_on_write_image()
        .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    Ok(linked)
}

/// The components that functions have at this moment, by their SHA-256.
#[derive(Default)]
pub(crate) struct LinkedComponents {
    by_digest: Mutex<HashMap<[u8; 32], Weak<Linked>>>,
}

impl LinkedComponents {
    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<Arc<Linked>> {
        let by_digest = self.by_digest.lock();
        let by_digest = by_digest.unwrap_or_else(PoisonError::into_inner);
        by_digest.get(digest)?.upgrade()
    }

    /// Shares `linked`, or the one that another thread has linked meanwhile.
    pub(crate) fn keep(&self, digest: [u8; 32], linked: Linked) -> Arc<Linked> {
        let by_digest = self.by_digest.lock();
        let mut by_digest = by_digest.unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = by_digest.get(&digest).and_then(Weak::upgrade) {
            return earlier;
        }
        by_digest.retain(|_, linked| linked.strong_count() > 0);
        let linked = Arc::new(linked);
        by_digest.insert(digest, Arc::downgrade(&linked));
        linked
    }
}
