//! `wasi:config`: the configuration of the function, which does not change while an instance is there.

use wasmtime::component::{ComponentType, Linker, Lower};
use wasmtime::{Result, StoreContextMut};

use super::Provided;
use crate::state::State;

pub(super) const PROVIDED: Provided = Provided {
    package: "wasi:config",
    interfaces: &["store"],
    versions: &["0.2.0-rc.1"],
};

/// What could go wrong with a source of values; nothing does here.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[expect(dead_code, reason = "the values are at hand")]
enum Error {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

type Answer<T> = Result<(std::result::Result<T, Error>,)>;

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    let mut store = linker.instance("wasi:config/store@0.2.0-rc.1")?;
    store.func_wrap(
        "get",
        |store: StoreContextMut<'_, State>, (key,): (String,)| -> Answer<Option<String>> {
            let mut values = store.data().given.config.iter();
            let value = values.find(|(name, _)| *name == key);
            Ok((Ok(value.map(|(_, value)| value.clone())),))
        },
    )?;
    store.func_wrap(
        "get-all",
        |store: StoreContextMut<'_, State>, (): ()| -> Answer<Vec<(String, String)>> {
            Ok((Ok(store.data().given.config.clone()),))
        },
    )
}
