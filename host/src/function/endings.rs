//! Tells a body that its guest has finished from one that it has merely let go of.
//!
//! The channel that a body comes through closes when the guest finishes it, and likewise when the guest ends without
//! having done so, its handle leaked. So a finished body is given a mark: trailers, empty ones where the guest has none.

use bytes::Bytes;
use http_body::Frame;
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, OutgoingBody, Trailers};
use wasmtime_wasi_http::{FieldMap, WasiHttpView};

use super::instance::State;

thread_local! {
    /// Shared by all bodies of a thread, so that the mark costs no allocation.
    static NO_TRAILERS: FieldMap = FieldMap::default();
}

/// Replaces the function of `linker` that finishes bodies by one that marks them.
pub(super) fn mark(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    linker.instance("wasi:http/types@0.2.12")?.func_wrap(
        "[static]outgoing-body.finish",
        |mut store: StoreContextMut<'_, State>,
         (body, trailers): (Resource<OutgoingBody>, Option<Resource<Trailers>>)| {
            let http = store.data_mut().http();
            let body = http.table.delete(body)?;
            let trailers = match trailers {
                Some(trailers) => {
                    let trailers = http.table.delete(trailers)?;
                    store.data_mut().charges.send_trailers(&trailers);
                    trailers
                }
                None => NO_TRAILERS.with(FieldMap::clone),
            };
            let finished: Result<(), ErrorCode> = body.finish(Some(trailers));
            Ok((finished,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Whether `frame` carries nothing but the mark.
pub(super) fn is_mark(frame: &Frame<Bytes>) -> bool {
    frame
        .trailers_ref()
        .is_some_and(|trailers| trailers.is_empty())
}
