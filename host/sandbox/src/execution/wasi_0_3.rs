//! A call of `wasi:http/handler@0.3`.

use std::sync::Arc;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Response, header};
use http_body::Body;
use tokio::sync::oneshot;
use wasmtime::component::{Access, HasSelf, Resource};
use wasmtime::{Result, Store};
use wasmtime_wasi_http::p2::body::StreamContext;
use wasmtime_wasi_http::p3::bindings::Service;
use wasmtime_wasi_http::{Error, FieldMap, p3};

use crate::error::Failure;
use crate::forward::Forward;
use crate::head::content_length;
use crate::pipe::pipe;
use crate::request::RequestBody;
use crate::shared::Shared;
use crate::state::State;

/// Has the guest handle `request`, until it has nothing left to do.
pub(super) async fn handle<B>(
    store: &mut Store<State>,
    service: &Service,
    request: Request<RequestBody<B>>,
    scheme: Scheme,
) -> Result<()>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let request = receive(store.data_mut(), request, scheme)?;
    let shared = Arc::clone(&store.data().shared);
    let handled = store.run_concurrent(async |guest| {
        let handler = service.wasi_http_handler();
        match handler.call_handle(guest, request).await? {
            Ok(response) => guest.with(|guest| answer(guest, &shared, response))?,
            Err(code) => shared.put_head(Err(Failure::from_error_code(&code))),
        }
        std::future::poll_fn(|cx| shared.poll_forward(cx)).await?;
        std::future::poll_fn(|cx| guest.poll_no_interesting_tasks(cx)).await;
        // What it uploads is cut when its store ends.
        std::future::poll_fn(|cx| guest.with(|mut guest| guest.data_mut().hooks.poll_uploaded(cx)))
            .await;
        Ok(())
    });
    handled.await?
}

/// The request as a resource of the guest.
pub(crate) fn receive<B>(
    state: &mut State,
    request: Request<B>,
    scheme: Scheme,
) -> Result<Resource<p3::Request>>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Error>,
{
    let (head, body) = request.into_parts();
    let authority = head.uri.authority().cloned().or_else(|| {
        let host = head.headers.get(header::HOST)?;
        Authority::try_from(host.as_bytes()).ok()
    });
    let headers = FieldMap::new_immutable(&mut state.hooks, head.headers);
    // What becomes of the request is told to its client by the answer.
    let (request, _) = p3::Request::new(
        head.method,
        Some(scheme),
        authority,
        head.uri.path_and_query().cloned(),
        headers,
        None,
        body,
    );
    Ok(state.table.push(request)?)
}

/// Hands over the head of `response`. Its body is moved from now on.
pub(crate) fn answer(
    mut guest: Access<'_, State, HasSelf<State>>,
    shared: &Arc<Shared>,
    response: Resource<p3::Response>,
) -> Result<()> {
    let state = guest.data_mut();
    let mut response = state.table.delete(response)?;
    // The length is compared by the pipe, where it matters. An answer to HEAD has one and no body.
    let headers: HeaderMap = std::mem::take(&mut response.headers).into();
    let declared = content_length(&headers).ok().flatten();
    let (writer, reader) = pipe(StreamContext::Response, declared, Arc::clone(shared) as _);
    reader.begin();
    let mut head = Response::new(Some(reader));
    *head.status_mut() = response.status;
    *head.headers_mut() = headers;
    let (sent, result) = oneshot::channel();
    let result = async { result.await.unwrap_or(Err(Error::ConnectionTerminated)) };
    let body = response.into_http(guest, result)?.into_body();
    shared.put_forward(Forward::new(body, writer, sent));
    shared.put_head(Ok(head));
    Ok(())
}
