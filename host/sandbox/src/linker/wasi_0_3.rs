//! Bounds and charges in WASI 0.3, as [`bounds`](super::bounds) and [`charged`](super::charged) have them for 0.2.

use std::pin::Pin;

use wasmtime::component::{
    Access, Accessor, Linker, LinkerInstance, Resource, ResourceTable, StreamReader,
};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::io::streams::{self, HostOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamResult};
use wasmtime_wasi::p3::bindings::cli::{stderr, stdout};
use wasmtime_wasi_http::p3::bindings::http::client::HostWithStore;
use wasmtime_wasi_http::p3::bindings::http::types::{
    ErrorCode, Fields, HeaderError, Host as _, HostFields, HostRequest as _, Method, Request,
    Response,
};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use super::bounds::{AUTHORITY_BYTES, METHOD_BYTES};
use super::charged::field;
use crate::field_size::field_bytes;
use crate::requests::identify;
use crate::state::State;

type Store<'a> = StoreContextMut<'a, State>;
type Answer<T> = Result<(std::result::Result<T, HeaderError>,)>;
type Splice = (Resource<DynOutputStream>, Resource<DynInputStream>, u64);
type Sent = Result<(std::result::Result<Resource<Response>, ErrorCode>,)>;

/// Replaces the functions of `linker` by which a guest has the host hold more by ones that refuse what is too long, and
/// charge for the rest.
pub(super) fn bound(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.3.0")?;
    making_fields(&mut types)?;
    making_requests(&mut types)?;
    let mut client = linker.instance("wasi:http/client@0.3.0")?;
    client.func_wrap_concurrent("send", send)?;
    printing(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What is printed is of the request that the guest works on.
fn printing(linker: &mut Linker<State>) -> Result<()> {
    let mut stdout = linker.instance("wasi:cli/stdout@0.3.0")?;
    stdout.func_wrap(
        "write-via-stream",
        |mut store: Store<'_>, (data,): (StreamReader<u8>,)| {
            identify(&mut store)?;
            let store = Access::<State, WasiCli>::new(store, State::cli);
            Ok(
                (<WasiCli as stdout::HostWithStore<State>>::write_via_stream(
                    store, data,
                )?,),
            )
        },
    )?;
    let mut stderr = linker.instance("wasi:cli/stderr@0.3.0")?;
    stderr.func_wrap(
        "write-via-stream",
        |mut store: Store<'_>, (data,): (StreamReader<u8>,)| {
            identify(&mut store)?;
            let store = Access::<State, WasiCli>::new(store, State::cli);
            Ok(
                (<WasiCli as stderr::HostWithStore<State>>::write_via_stream(
                    store, data,
                )?,),
            )
        },
    )?;
    let mut streams = linker.instance("wasi:io/streams@0.2.12")?;
    streams.func_wrap(
        "[method]output-stream.write",
        |mut store: Store<'_>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            identify(&mut store)?;
            let table = &mut store.data_mut().table;
            let written = HostOutputStream::write(table, stream, bytes);
            Ok((told(table, written)?,))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.write-zeroes",
        |mut store: Store<'_>, (stream, length): (Resource<DynOutputStream>, u64)| {
            identify(&mut store)?;
            let table = &mut store.data_mut().table;
            let written = HostOutputStream::write_zeroes(table, stream, length);
            Ok((told(table, written)?,))
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-zeroes-and-flush",
        |mut store: Store<'_>, (stream, length): (Resource<DynOutputStream>, u64)| {
            Box::new(async move {
                identify(&mut store)?;
                let table = &mut store.data_mut().table;
                let written =
                    HostOutputStream::blocking_write_zeroes_and_flush(table, stream, length).await;
                Ok((told(table, written)?,))
            })
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.splice",
        |mut store: Store<'_>, (to, from, length): Splice| {
            identify(&mut store)?;
            let table = &mut store.data_mut().table;
            let moved = HostOutputStream::splice(table, to, from, length);
            Ok((told(table, moved)?,))
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-splice",
        |mut store: Store<'_>, (to, from, length): Splice| {
            Box::new(async move {
                identify(&mut store)?;
                let table = &mut store.data_mut().table;
                let moved = HostOutputStream::blocking_splice(table, to, from, length).await;
                Ok((told(table, moved)?,))
            })
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: Store<'_>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            Box::new(async move {
                identify(&mut store)?;
                let table = &mut store.data_mut().table;
                let written =
                    HostOutputStream::blocking_write_and_flush(table, stream, bytes).await;
                Ok((told(table, written)?,))
            })
        },
    )
}

/// What the guest is told of a write.
fn told<T>(
    table: &mut ResourceTable,
    written: StreamResult<T>,
) -> Result<std::result::Result<T, streams::StreamError>> {
    Ok(match written {
        Ok(written) => Ok(written),
        Err(error) => Err(streams::Host::convert_stream_error(table, error)?),
    })
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
        "[method]request.set-method",
        |mut store: Store<'_>, (request, method): (Resource<Request>, Method)| {
            if matches!(&method, Method::Other(name) if name.len() > METHOD_BYTES) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_method(request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]request.set-authority",
        |mut store: Store<'_>, (request, authority): (Resource<Request>, Option<String>)| {
            if matches!(&authority, Some(name) if name.len() > AUTHORITY_BYTES) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_authority(request, authority)?,))
        },
    )?;
    types.func_wrap(
        "[method]request.set-path-with-query",
        |mut store: Store<'_>, (request, path): (Resource<Request>, Option<String>)| {
            let bytes = path.as_ref().map_or(0, String::len);
            store.data_mut().hold(bytes as u64)?;
            let mut http = store.data_mut().http();
            Ok((http.set_path_with_query(request, path)?,))
        },
    )
}

/// Sends a request. What is received is held already when it is noted; its sender can be held to no more than a head's
/// size.
fn send<'a>(
    store: &'a Accessor<State>,
    (request,): (Resource<Request>,),
) -> Pin<Box<dyn Future<Output = Sent> + Send + 'a>> {
    Box::pin(async move {
        store.with(|mut store| {
            identify(&mut store.as_context_mut())?;
            store.data_mut().hooks.expect_stream();
            Ok::<_, wasmtime::Error>(())
        })?;
        let http = store.with_getter::<WasiHttp>(State::http);
        let sent = <WasiHttp as HostWithStore<State>>::send(&http, request).await;
        store.with(|mut store| {
            let state = store.data_mut();
            let response = match sent {
                Ok(response) => response,
                Err(error) => return Ok((Err(state.http().convert_error_code(error)?),)),
            };
            let bytes = field_bytes(&state.table.get(&response)?.headers);
            let trailers = state.take_received_trailers();
            state.hold(bytes + trailers)?;
            Ok((Ok(response),))
        })
    })
}

/// What the guest is told of `result`.
fn answer<T>(
    mut store: Store<'_>,
    result: std::result::Result<T, TrappableError<HeaderError>>,
) -> Answer<T> {
    Ok((match result {
        Ok(value) => Ok(value),
        Err(error) => Err(store.data_mut().http().convert_header_error(error)?),
    },))
}
