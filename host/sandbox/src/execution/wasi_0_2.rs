//! A call of `wasi:http/incoming-handler@0.2`.

use bytes::Bytes;
use http::Request;
use http::uri::Scheme;
use http_body::Body;
use wasmtime::{Result, Store};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types;

use crate::request::RequestBody;
use crate::state::State;

/// Has the guest handle `request`, to its end.
pub(super) async fn handle<B>(
    store: &mut Store<State>,
    proxy: &Proxy,
    request: Request<RequestBody<B>>,
    scheme: Scheme,
) -> Result<()>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let mut http = store.data_mut().http();
    let scheme = if scheme == Scheme::HTTPS {
        types::Scheme::Https
    } else {
        types::Scheme::Http
    };
    let request = http.new_incoming_request(scheme, request)?;
    // The function that calls this back is replaced: see `linker::outgoing`.
    let outparam = http.new_response_outparam_from_callback(drop)?;
    proxy
        .wasi_http_incoming_handler()
        .call_handle(store, request, outparam)
        .await
}
