//! What belongs to one instance: the data of its store.

use std::sync::Arc;

use http::HeaderValue;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::charges::{Charges, held_in};
use super::limits::Limits;
use super::line::Stream;
use super::meter::Meter;
use super::outbound::{OutboundClient, OutboundHooks};
use super::parts;
use super::run_queue::RunQueue;
use super::shared::Shared;
use super::stdio::GuestStream;

/// A guest that has not yielded by this many ticks after its start gives way. One tick would interrupt short
/// executions that merely began just before it.
const FIRST_SLICE: u64 = 2;
/// The slice between two turns.
const SLICE: u64 = 1;

/// The data of one instance's store.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(crate) hooks: OutboundHooks,
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) charges: Charges,
    pub(crate) shared: Arc<Shared>,
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

impl State {
    /// Notes that the guest has the host hold `bytes` more.
    ///
    /// # Errors
    /// [`HeldTooMuch`](super::error::HeldTooMuch), if its memory limit does not allow that.
    pub(crate) fn hold(&mut self, bytes: u64) -> wasmtime::Result<()> {
        if self.charges.note(bytes) {
            let held = self.held();
            self.charges.cover(held, &mut self.meter)?;
        }
        Ok(())
    }

    /// What is held, by a count of all there is.
    fn held(&mut self) -> u64 {
        self.charges.kept() + self.hooks.sending() + held_in(&mut self.table)
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if self.meter.charged() > 0 && !self.meter.has_room(more) {
            let held = self.held();
            self.charges.settle(held, &mut self.meter);
        }
        Ok(self.meter.grow_memory(current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.meter.grow_table(current, desired, maximum))
    }

    fn instances(&self) -> usize {
        parts::MOST_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        parts::MOST.tables as usize
    }

    fn memories(&self) -> usize {
        parts::MOST.memories as usize
    }
}

/// What every instance of a function gets.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) outbound: Arc<OutboundClient>,
}

/// A store for one execution, with every limit of `settings` in force. `traceparent` is for its calls, unless it sets one
/// itself.
pub(crate) fn store(
    engine: &Engine,
    settings: &Settings,
    shared: &Arc<Shared>,
    turns: Option<Arc<RunQueue>>,
    traceparent: Option<HeaderValue>,
) -> Store<State> {
    let limits = &settings.limits;
    let mut table = ResourceTable::new();
    table.set_max_capacity(limits.handles);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(limits.fields);
    let state = State {
        wasi: wasi(settings, shared),
        http,
        hooks: OutboundHooks::new(
            Arc::clone(&settings.outbound),
            limits.outbound_requests,
            Arc::clone(shared) as _,
            traceparent,
        ),
        table,
        meter: Meter::new(limits.table_elements, Arc::clone(shared)),
        charges: Charges::default(),
        shared: Arc::clone(shared),
    };
    let mut store = Store::new(engine, state);
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
fn wasi(settings: &Settings, shared: &Arc<Shared>) -> WasiCtx {
    let stream = |stream| GuestStream {
        stream,
        shared: Arc::clone(shared),
    };
    WasiCtx::builder()
        .stdout(stream(Stream::Stdout))
        .stderr(stream(Stream::Stderr))
        .envs(&settings.environment)
        .max_random_size(settings.limits.random_bytes)
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}
