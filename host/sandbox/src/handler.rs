//! The HTTP handler of a component, of either generation of WASI.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};

use super::generation::Generation;
use super::state::State;

/// A component that is linked and ready to be instantiated.
pub(crate) enum HandlerPre {
    Wasi02(ProxyPre<State>),
    Wasi03(ServicePre<State>),
}

/// The handler of one instance.
pub(crate) enum Handler {
    Wasi02(Proxy),
    Wasi03(Service),
}

impl HandlerPre {
    /// Links `component`, whose handler is of `generation`.
    ///
    /// # Errors
    /// If its types are not those that the host provides.
    pub(crate) fn link(
        linker: &Linker<State>,
        component: &Component,
        generation: Generation,
    ) -> Result<Self> {
        let linked = linker.instantiate_pre(component)?;
        Ok(match generation {
            Generation::Wasi02 => Self::Wasi02(ProxyPre::new(linked)?),
            Generation::Wasi03 => Self::Wasi03(ServicePre::new(linked)?),
        })
    }

    pub(crate) fn component(&self) -> &Component {
        match self {
            Self::Wasi02(linked) => linked.instance_pre().component(),
            Self::Wasi03(linked) => linked.instance_pre().component(),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.component().engine()
    }

    pub(crate) async fn instantiate(&self, store: &mut Store<State>) -> Result<Handler> {
        Ok(match self {
            Self::Wasi02(linked) => Handler::Wasi02(linked.instantiate_async(store).await?),
            Self::Wasi03(linked) => Handler::Wasi03(linked.instantiate_async(store).await?),
        })
    }
}
