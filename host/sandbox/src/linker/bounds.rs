//! Bounds on the parts of an outgoing request's head that have none of their own.
//!
//! A guest may hold many requests, and the host keeps what they were given. Paths are bounded by `http`, fields by
//! [`Limits::fields`](crate::Limits::fields); methods and authorities are here.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{
    HostOutgoingRequest as _, Method, OutgoingRequest,
};

use crate::state::State;

pub(super) const METHOD_BYTES: usize = 128;
/// A name of 253 bytes (RFC 1035, section 2.3.4), a port, and user information that is refused anyway.
pub(super) const AUTHORITY_BYTES: usize = 1024;

/// Replaces the functions of `linker` that take them by ones that refuse what is too long, as they refuse what is not
/// valid.
pub(crate) fn bound(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, State>,
         (request, method): (Resource<OutgoingRequest>, Method)| {
            if matches!(&method, Method::Other(name) if name.len() > METHOD_BYTES) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_method(request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: StoreContextMut<'_, State>,
         (request, authority): (Resource<OutgoingRequest>, Option<String>)| {
            if matches!(&authority, Some(name) if name.len() > AUTHORITY_BYTES) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_authority(request, authority)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
