//! How a sandbox is set up, and what a function is given.

#[cfg(feature = "compile-cache")]
use std::path::PathBuf;
use std::sync::Arc;

use super::budget::MemoryShare;
use super::compile::Compiler;
use super::keyvalue::KeyValueStore;
use super::limits::{Limits, MIB};
use super::machine;
use super::outbound::OutboundPolicy;
use super::setters::setters;
use super::warm::Warm;

/// Settings of a [`Sandbox`](crate::Sandbox).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SandboxConfig {
    /// Executions that may run at once. Default 1,000.
    pub executions: u32,
    /// Memory that all executions may hold together, in bytes. Default half of the machine's (or the container's)
    /// memory.
    pub total_memory: u64,
    /// The largest component file that is loaded, in bytes. Default 100 MiB.
    pub component_bytes: u64,
    /// Where compiled components are kept. Default nowhere: every load compiles.
    ///
    /// The directory is created for the owner only. One that others can write is refused.
    #[cfg(feature = "compile-cache")]
    pub cache: Option<PathBuf>,
    /// Where components are compiled. Default in this process, without bounds.
    pub compiler: Compiler,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            executions: 1000,
            total_memory: machine::available() / 2,
            component_bytes: 100 * MIB,
            #[cfg(feature = "compile-cache")]
            cache: None,
            compiler: Compiler::default(),
        }
    }
}

setters!(SandboxConfig {
    executions: u32,
    total_memory: u64,
    component_bytes: u64,
    compiler: Compiler,
});

#[cfg(feature = "compile-cache")]
setters!(SandboxConfig {
    cache: Option<PathBuf>,
});

/// What a function is given beside its component.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FunctionConfig {
    /// What it goes by where its component is compiled. Default the name of the component's file, if it has one.
    pub name: Option<String>,
    /// What each execution may use.
    pub limits: Limits,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// What `wasi:config` gives it, by key.
    pub config: Vec<(String, String)>,
    /// The buckets that it opens by `wasi:keyvalue`. Default none.
    pub keyvalue: Option<Arc<dyn KeyValueStore>>,
    /// Whom it may call. Default nobody.
    #[cfg(feature = "outbound")]
    pub outbound: OutboundPolicy,
    /// Memory that its executions may hold together. Default no bound but that of all functions.
    ///
    /// A function that takes another one's place should have the same share, as long as both run.
    pub memory_share: Option<MemoryShare>,
    /// How its instances are kept for further requests. Default not at all: each request gets a fresh one.
    pub warm: Option<Warm>,
}

setters!(FunctionConfig {
    name: Option<String>,
    limits: Limits,
    environment: Vec<(String, String)>,
    config: Vec<(String, String)>,
    keyvalue: Option<Arc<dyn KeyValueStore>>,
    memory_share: Option<MemoryShare>,
    warm: Option<Warm>,
});

#[cfg(feature = "outbound")]
setters!(FunctionConfig {
    outbound: OutboundPolicy,
});

impl FunctionConfig {
    /// Takes out whom it may call.
    pub(crate) fn take_outbound(&mut self) -> OutboundPolicy {
        #[cfg(feature = "outbound")]
        return std::mem::take(&mut self.outbound);
        #[cfg(not(feature = "outbound"))]
        OutboundPolicy
    }
}

impl From<Limits> for FunctionConfig {
    fn from(limits: Limits) -> Self {
        Self::default().limits(limits)
    }
}
