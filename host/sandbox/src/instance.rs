//! What belongs to one instance: the data of its store.

use std::sync::Arc;

use http::HeaderValue;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::charges::Charges;
use super::component::Function;
use super::meter::Meter;
use super::outbound::OutboundHooks;
use super::output::{GuestStream, Stream};
use super::shared::Shared;
use super::turn::Turnstile;

/// A guest that has not yielded by this many ticks after its start gives way. One tick would interrupt short
/// executions that merely began just before it.
const FIRST_SLICE: u64 = 2;
/// The slice between two turns.
const SLICE: u64 = 1;

pub(super) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(super) hooks: OutboundHooks,
    pub(super) table: ResourceTable,
    pub(super) meter: Meter,
    pub(super) charges: Charges,
    pub(super) shared: Arc<Shared>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// A store for one execution of `function`, with every limit in force. `traceparent` is for its calls, unless it sets
/// one itself.
pub(super) fn store(
    function: &Function,
    shared: &Arc<Shared>,
    turns: Option<Arc<Turnstile>>,
    traceparent: Option<HeaderValue>,
) -> Store<State> {
    let limits = function.limits();
    let mut table = ResourceTable::new();
    table.set_max_capacity(limits.handles);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(limits.fields);
    let state = State {
        wasi: wasi(function, shared),
        http,
        hooks: OutboundHooks::new(
            Arc::clone(function.outbound()),
            limits.outbound_requests,
            Arc::clone(shared) as _,
            traceparent,
        ),
        table,
        meter: Meter::new(limits.table_elements, Arc::clone(shared)),
        charges: Charges::default(),
        shared: Arc::clone(shared),
    };
    let mut store = Store::new(function.engine(), state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits.host_copies);
    store.set_epoch_deadline(FIRST_SLICE);
    let mut turn = 0;
    store.epoch_deadline_callback(move |_| {
        turn += 1;
        Ok(UpdateDeadline::YieldCustom(
            SLICE,
            match &turns {
                Some(turns) => Box::pin(turns.turn(turn)),
                None => Box::pin(tokio::task::yield_now()),
            },
        ))
    });
    store
}

/// No files, no network, no arguments, no environment but what is given.
fn wasi(function: &Function, shared: &Arc<Shared>) -> WasiCtx {
    let stream = |stream| GuestStream {
        stream,
        shared: Arc::clone(shared),
    };
    WasiCtx::builder()
        .stdout(stream(Stream::Stdout))
        .stderr(stream(Stream::Stderr))
        .envs(function.environment())
        .max_random_size(function.limits().random_bytes)
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}
