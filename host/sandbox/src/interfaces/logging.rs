//! `wasi:logging`: entries of the execution's log.

use wasmtime::component::{ComponentType, Lift, Linker};
use wasmtime::{Result, StoreContextMut};

use super::Provided;
use crate::line::Level;
use crate::requests::identify;
use crate::state::State;

pub(super) const PROVIDED: Provided = Provided {
    package: "wasi:logging",
    interfaces: &["logging"],
    versions: &["0.1.0-draft"],
};

/// The level of a message, as the interface has it.
#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "only guests make them")]
enum GuestLevel {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    let mut logging = linker.instance("wasi:logging/logging@0.1.0-draft")?;
    logging.func_wrap(
        "log",
        |mut store: StoreContextMut<'_, State>,
         (level, context, message): (GuestLevel, String, String)| {
            identify(&mut store)?;
            let shared = &store.data().shared;
            shared.output().log(told(level), &context, &message);
            shared.wake_watcher();
            Ok(())
        },
    )
}

/// The same for those who read the log.
fn told(level: GuestLevel) -> Level {
    match level {
        GuestLevel::Trace => Level::Trace,
        GuestLevel::Debug => Level::Debug,
        GuestLevel::Info => Level::Info,
        GuestLevel::Warn => Level::Warn,
        GuestLevel::Error => Level::Error,
        GuestLevel::Critical => Level::Critical,
    }
}
