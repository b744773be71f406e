//! The functions of `wasi:http/types` that have to do with what a guest sends.

use std::sync::Arc;

use http::StatusCode;
use http_body_util::BodyExt;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi_http::p2::bindings::http::types::{
    ErrorCode, Fields, OutgoingRequest, ResponseOutparam, Trailers,
};
use wasmtime_wasi_http::p2::body::StreamContext;

use crate::error::Failure;
use crate::head::content_length;
use crate::outgoing::{OutgoingBody, OutgoingResponse};
use crate::pipe::pipe;
use crate::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// Replaces the resources of [`outgoing`](crate::outgoing) in `linker`, and all functions that have to do with them.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    making_responses(&mut types)?;
    answering(&mut types)?;
    making_bodies(&mut types)?;
    finishing_bodies(&mut types)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn making_responses(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.resource(
        "outgoing-response",
        ResourceType::host::<OutgoingResponse>(),
        |mut store: Store<'_>, rep| {
            let response = Resource::<OutgoingResponse>::new_own(rep);
            store.data_mut().table.delete(response)?;
            Ok(())
        },
    )?;
    types.func_wrap(
        "[constructor]outgoing-response",
        |mut store: Store<'_>, (headers,): (Resource<Fields>,)| {
            let table = &mut store.data_mut().table;
            let mut headers = table.delete(headers)?;
            headers.set_immutable();
            Ok((table.push(OutgoingResponse::new(headers))?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-response.status-code",
        |mut store: Store<'_>, (response,): (Resource<OutgoingResponse>,)| {
            let response = store.data_mut().table.get(&response)?;
            Ok((response.status.as_u16(),))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-response.set-status-code",
        |mut store: Store<'_>, (response, status): (Resource<OutgoingResponse>, u16)| {
            let response = store.data_mut().table.get_mut(&response)?;
            let status = StatusCode::from_u16(status).map_err(drop);
            Ok((status.map(|status| response.status = status),))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-response.headers",
        |mut store: Store<'_>, (response,): (Resource<OutgoingResponse>,)| {
            let table = &mut store.data_mut().table;
            let headers = table.get(&response)?.headers.clone();
            Ok((table.push(headers)?,))
        },
    )
}

fn answering(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.func_wrap(
        "[static]response-outparam.set",
        |mut store: Store<'_>,
         (outparam, response): (
            Resource<ResponseOutparam>,
            std::result::Result<Resource<OutgoingResponse>, ErrorCode>,
        )| {
            let state = store.data_mut();
            let answer = match response {
                Ok(response) => Ok(state.table.delete(response)?.into_response()),
                Err(code) => Err(Failure::from_error_code(&code)),
            };
            state.table.delete(outparam)?;
            state.shared.put_head(answer);
            Ok(())
        },
    )
}

fn making_bodies(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.func_wrap(
        "[method]outgoing-response.body",
        |mut store: Store<'_>, (response,): (Resource<OutgoingResponse>,)| {
            let state = store.data_mut();
            let response = state.table.get_mut(&response)?;
            let (None, Ok(declared)) = (&response.body, content_length(&response.headers)) else {
                return Ok((Err(()),));
            };
            let owner = Arc::clone(&state.shared) as _;
            let (writer, reader) = pipe(StreamContext::Response, declared, owner);
            response.body = Some(reader);
            Ok((Ok(state.table.push(writer)?),))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.body",
        |mut store: Store<'_>, (request,): (Resource<OutgoingRequest>,)| {
            let state = store.data_mut();
            let request = state.table.get_mut(&request)?;
            let (None, Ok(declared)) = (&request.body, content_length(&request.headers)) else {
                return Ok((Err(()),));
            };
            let owner = Arc::clone(&state.shared) as _;
            let (writer, reader) = pipe(StreamContext::Request, declared, owner);
            request.body = Some(reader.boxed_unsync());
            Ok((Ok(state.table.push(writer)?),))
        },
    )
}

fn finishing_bodies(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.resource(
        "outgoing-body",
        ResourceType::host::<OutgoingBody>(),
        |mut store: Store<'_>, rep| {
            let body = Resource::<OutgoingBody>::new_own(rep);
            store.data_mut().table.delete(body)?;
            Ok(())
        },
    )?;
    types.func_wrap(
        "[method]outgoing-body.write",
        |mut store: Store<'_>, (body,): (Resource<OutgoingBody>,)| {
            let table = &mut store.data_mut().table;
            let Some(stream) = table.get_mut(&body)?.stream() else {
                return Ok((Err(()),));
            };
            let stream: Resource<DynOutputStream> = table.push_child(stream, &body)?;
            Ok((Ok(stream),))
        },
    )?;
    types.func_wrap(
        "[static]outgoing-body.finish",
        |mut store: Store<'_>,
         (body, trailers): (Resource<OutgoingBody>, Option<Resource<Trailers>>)| {
            let state = store.data_mut();
            let body = state.table.delete(body)?;
            let trailers = match trailers {
                Some(trailers) => {
                    let trailers = state.table.delete(trailers)?;
                    state.charges.send_trailers(&trailers);
                    Some(trailers.into())
                }
                None => None,
            };
            let finished: std::result::Result<(), ErrorCode> = body.finish(trailers);
            Ok((finished,))
        },
    )
}
