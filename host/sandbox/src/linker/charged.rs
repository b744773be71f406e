//! The calls by which a guest has the host hold more.
//!
//! Each notes what it may add, and then does what it does anyway.

use wasmtime::component::{Linker, LinkerInstance, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::HeaderResult;
use wasmtime_wasi_http::p2::bindings::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, FutureTrailers, HeaderError, Host as _, HostFields,
    HostFutureIncomingResponse, HostFutureTrailers, HostOutgoingRequest as _, IncomingResponse,
    OutgoingRequest, Trailers,
};

use crate::field_size::{EACH_FIELD, field_bytes};
use crate::state::State;

type Store<'a> = StoreContextMut<'a, State>;
type Answer<T> = Result<(std::result::Result<T, HeaderError>,)>;

/// What a resource gives that becomes ready: nothing yet, once a result, and nothing any more.
type Once<T> = Option<std::result::Result<std::result::Result<T, ErrorCode>, ()>>;

/// Replaces the functions of `linker` that add fields, paths and queries by ones that charge for them.
pub(crate) fn levy(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    making_fields(&mut types)?;
    making_requests(&mut types)?;
    receiving(&mut types)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn making_fields(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.func_wrap(
        "[static]fields.from-list",
        |mut store: Store<'_>, (entries,): (Vec<(String, Vec<u8>)>,)| {
            let bytes = entries.iter().map(|(name, value)| field(name, value)).sum();
            store.data_mut().hold(bytes)?;
            let made = store.data_mut().http().from_list(entries);
            answer(store, made)
        },
    )?;
    types.func_wrap(
        "[method]fields.set",
        |mut store: Store<'_>, (fields, name, values): (Resource<Fields>, String, Vec<Vec<u8>>)| {
            let bytes = values.iter().map(|value| field(&name, value)).sum();
            store.data_mut().hold(bytes)?;
            let set = store.data_mut().http().set(fields, name, values);
            answer(store, set)
        },
    )?;
    types.func_wrap(
        "[method]fields.append",
        |mut store: Store<'_>, (fields, name, value): (Resource<Fields>, String, Vec<u8>)| {
            store.data_mut().hold(field(&name, &value))?;
            let appended = store.data_mut().http().append(fields, name, value);
            answer(store, appended)
        },
    )?;
    types.func_wrap(
        "[method]fields.clone",
        |mut store: Store<'_>, (fields,): (Resource<Fields>,)| {
            // They are shared until one of them is changed; that is not noted, so this is.
            let bytes = field_bytes(store.data_mut().http().table.get(&fields)?);
            store.data_mut().hold(bytes)?;
            let mut http = store.data_mut().http();
            Ok((HostFields::clone(&mut http, fields)?,))
        },
    )
}

fn making_requests(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |mut store: Store<'_>, (request, path): (Resource<OutgoingRequest>, Option<String>)| {
            let bytes = path.as_ref().map_or(0, String::len);
            store.data_mut().hold(bytes as u64)?;
            let mut http = store.data_mut().http();
            Ok((http.set_path_with_query(request, path)?,))
        },
    )
}

/// What was received is held already when it is noted; its sender can be held to no more than a head's size.
fn receiving(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.func_wrap(
        "[method]future-incoming-response.get",
        |mut store: Store<'_>, (future,): (Resource<FutureIncomingResponse>,)| {
            let mut http = store.data_mut().http();
            let response: Once<Resource<IncomingResponse>> =
                HostFutureIncomingResponse::get(&mut http, future)?;
            if let Some(Ok(Ok(response))) = &response {
                let response = store.data_mut().http().table.get(response)?;
                let bytes = field_bytes(&response.headers);
                store.data_mut().hold(bytes)?;
            }
            Ok((response,))
        },
    )?;
    types.func_wrap(
        "[method]future-trailers.get",
        |mut store: Store<'_>, (future,): (Resource<FutureTrailers>,)| {
            let mut http = store.data_mut().http();
            let trailers: Once<Option<Resource<Trailers>>> =
                HostFutureTrailers::get(&mut http, future)?;
            if let Some(Ok(Ok(Some(trailers)))) = &trailers {
                let bytes = field_bytes(store.data_mut().http().table.get(trailers)?);
                store.data_mut().hold(bytes)?;
            }
            Ok((trailers,))
        },
    )
}

/// What a field of this name and value takes in memory, in bytes.
pub(super) fn field(name: &str, value: &[u8]) -> u64 {
    (name.len() + value.len()) as u64 + EACH_FIELD
}

/// What the guest is told of `result`.
fn answer<T>(mut store: Store<'_>, result: HeaderResult<T>) -> Answer<T> {
    Ok((match result {
        Ok(value) => Ok(value),
        Err(error) => Err(store.data_mut().http().convert_header_error(error)?),
    },))
}
