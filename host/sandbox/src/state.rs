//! What belongs to one instance: the data of its store.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::charges::{Charges, held_in};
use super::instance::Binding;
use super::interfaces::{Bucket, Given};
use super::limits::Limits;
use super::line::Stream;
use super::meter::Meter;
use super::outbound::{OutboundClient, OutboundHooks};
use super::parts;
use super::requests::Requests;
use super::shared::Shared;
use super::stdio::{GuestStream, PrintsFor};
use super::warm::Retired;

/// A guest that has not yielded by this many ticks after its start gives way. One tick would interrupt short
/// executions that merely began just before it.
const FIRST_SLICE: u64 = 2;
/// The slice between two turns.
const SLICE: u64 = 1;

/// Handles that an instance may keep: standard input, output and error, and one to wait for each of them.
const MOST_KEPT_HANDLES: usize = 8;

/// Entries that wasmtime keeps at most for a handle of WASI 0.3: a stream has one for each of its ends, and one for what
/// they share.
const ENTRIES_OF_HANDLE: usize = 3;

/// The data of one instance's store.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(crate) hooks: OutboundHooks,
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    memory_limit: u64,
    pub(crate) charges: Charges,
    pub(crate) shared: Arc<Shared>,
    pub(crate) given: Arc<Given>,
    prints_for: PrintsFor,
    pub(crate) requests: Requests,
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

    /// Charges for `bytes` that are on their way to the guest. The next count finds them gone.
    ///
    /// # Errors
    /// [`HeldTooMuch`](super::error::HeldTooMuch), if its memory limit does not allow that.
    pub(crate) fn pass(&mut self, bytes: u64) -> wasmtime::Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let held = self.held() + bytes;
        Ok(self.charges.cover(held, &mut self.meter)?)
    }

    /// Gives the instance to another execution.
    fn bind(&mut self, settings: &Settings, binding: &Binding) {
        let shared = &binding.shared;
        self.prints_for.bind(shared);
        self.hooks = hooks(settings, binding);
        self.meter.bind(Arc::clone(shared));
        self.charges = Charges::default();
        self.shared = Arc::clone(shared);
    }

    /// What is printed from now on is of the execution of `shared`.
    pub(crate) fn print_for(&self, shared: &Arc<Shared>) {
        self.prints_for.bind(shared);
    }

    /// Its linear memory, in bytes, and the part of its limits that it has used for good.
    pub(crate) fn memory_used(&self) -> (u64, f64) {
        (self.meter.memory(), self.meter.used_of(self.memory_limit))
    }

    /// Gives back what was charged for requests, none of which the guest works on any more.
    pub(crate) fn rest(&mut self) {
        self.requests.clear();
        self.charges = Charges::default();
        self.meter.charge(0);
    }

    /// Why no other execution may have the instance, given the part of its memory that it may keep.
    pub(crate) fn left_dirty(&mut self, memory_part: f64) -> Option<Retired> {
        if self.shared.request_failure().is_some() {
            Some(Retired::Failed)
        } else if !self.shared.has_answered() {
            Some(Retired::NoResponse)
        } else if self.shared.has_cut_body() {
            Some(Retired::Body)
        } else if self.keeps_handles() {
            Some(Retired::Handles)
        } else if self.meter.used_of(self.memory_limit) > memory_part {
            Some(Retired::Memory)
        } else {
            None
        }
    }

    /// Whether the guest keeps more than its standard streams, what waits for them, and its buckets. A stream of a body, and
    /// what waits for anything else, is never there without that.
    pub(crate) fn keeps_handles(&mut self) -> bool {
        let mut kept = 0;
        self.table.iter_mut().any(|entry| {
            kept += 1;
            let may_be_kept = entry.is::<DynOutputStream>()
                || entry.is::<DynInputStream>()
                || entry.is::<DynPollable>()
                || entry.is::<Bucket>();
            !may_be_kept || kept > MOST_KEPT_HANDLES
        })
    }

    /// Bytes of the trailers that were received since the last call.
    pub(crate) fn take_received_trailers(&mut self) -> u64 {
        self.hooks.take_received_trailers() + self.requests.take_received_trailers()
    }

    /// What is held, by a count of all there is.
    fn held(&mut self) -> u64 {
        let sending = self.hooks.sending() + self.requests.sending();
        self.charges.kept() + sending + held_in(&mut self.table)
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
    /// Requests that an instance answers at once.
    pub(crate) at_once: usize,
    pub(crate) given: Arc<Given>,
}

/// A store for an instance, with every limit of `settings` in force.
pub(crate) fn store(engine: &Engine, settings: &Settings, binding: &Binding) -> Store<State> {
    let limits = &settings.limits;
    let shared = &binding.shared;
    let mut table = ResourceTable::new();
    let handles = limits.handles.saturating_mul(settings.at_once);
    table.set_max_capacity(handles);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(limits.fields);
    let prints_for = PrintsFor::new(shared);
    let state = State {
        wasi: wasi(settings, &prints_for),
        http,
        hooks: hooks(settings, binding),
        table,
        meter: Meter::new(limits.table_elements, Arc::clone(shared)),
        memory_limit: limits.memory,
        charges: Charges::default(),
        shared: Arc::clone(shared),
        given: Arc::clone(&settings.given),
        prints_for,
        requests: Requests::default(),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits.host_copies);
    bound_tasks(&mut store, handles);
    take_turns(&mut store, binding);
    store
}

/// Bounds what a guest of WASI 0.3 may have of streams, futures, tasks and what waits for them. Else each of its tasks
/// could have the host hold any number of them.
fn bound_tasks(store: &mut Store<State>, handles: usize) {
    if let Some(table) = store.concurrent_resource_table() {
        table.set_max_capacity(handles.saturating_mul(ENTRIES_OF_HANDLE));
        store.set_max_component_handles(handles);
    }
}

/// Gives the instance in `store` to another execution.
pub(crate) fn bind(store: &mut Store<State>, settings: &Settings, binding: &Binding) {
    store.data_mut().bind(settings, binding);
    store.set_hostcall_fuel(settings.limits.host_copies);
    take_turns(store, binding);
}

/// Has a guest that does not yield give way to others, from now on.
fn take_turns(store: &mut Store<State>, binding: &Binding) {
    let turns = binding.turns.clone();
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
}

/// The calls of one execution.
pub(crate) fn hooks(settings: &Settings, binding: &Binding) -> OutboundHooks {
    OutboundHooks::new(
        Arc::clone(&settings.outbound),
        settings.limits.outbound_requests,
        Arc::clone(&binding.shared) as _,
        binding.traceparent.clone(),
    )
}

/// No files, no network, no arguments, no environment but what is given.
fn wasi(settings: &Settings, prints_for: &PrintsFor) -> WasiCtx {
    let stream = |stream| GuestStream {
        stream,
        prints_for: prints_for.clone(),
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
