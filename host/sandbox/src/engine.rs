//! How the WebAssembly engine is set up: the pool of instances, what guests may use of the language, and the guards.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::parts::{MOST, MOST_CORE_INSTANCES};

/// Executions that the pool has places for beyond those of requests: trials of components that are loaded meanwhile.
const TRIALS: u32 = 16;

/// Places for memories that the address space of a process has room for: each takes some 4 GiB of it, and the largest
/// gap in it has some 85 TiB. Beyond 5,000 executions, those with four memories have to share them.
const MOST_MEMORIES: u32 = 20_000;

/// The largest table a component may declare, in elements.
const TABLE_ELEMENTS: usize = 64_000;

/// Memory that a free slot of the pool keeps, in bytes, cleared by writing instead of by giving pages back. Giving
/// pages back makes the kernel interrupt every other thread of the process, which costs more than a small guest.
const KEEP_RESIDENT: usize = 512 * 1024;
const TABLE_KEEP_RESIDENT: usize = 16 * 1024;

/// Stack that a guest may use, in bytes, below that of its fibre, so that host calls have room of their own.
const WASM_STACK: usize = 512 * 1024;
const FIBRE_STACK: usize = 1024 * 1024;

/// An engine that runs so many executions at once. Its instances come from a pool, or one by one where the system does not
/// let us reserve the pool.
pub(crate) fn engine(executions: u32) -> wasmtime::Result<Engine> {
    let pooled = InstanceAllocationStrategy::Pooling(pool(executions));
    Engine::new(&base().allocation_strategy(pooled).clone())
        .or_else(|_| Engine::new(base().allocation_strategy(InstanceAllocationStrategy::OnDemand)))
}

/// What code is compiled for. A compiler in another process needs the same.
pub(crate) fn base() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBRE_STACK)
        // Components of WASI 0.2 need no concurrent calls into one instance, and each call is cheaper without them.
        .concurrency_support(false)
        // Proposals that no released toolchain needs by default stay off: less to trust.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false);
    config
}

/// Tells engines apart that cannot run what is compiled for each other.
pub(crate) fn fingerprint(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// Places for so many executions, each with all that a component may have.
fn pool(executions: u32) -> PoolingAllocationConfig {
    let places = executions.saturating_add(TRIALS);
    let memories = places.saturating_mul(MOST.memories);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        .total_stacks(places)
        .total_core_instances(places.saturating_mul(MOST_CORE_INSTANCES))
        .total_memories(memories.min(MOST_MEMORIES))
        .total_tables(places.saturating_mul(MOST.tables))
        .max_core_instances_per_component(MOST_CORE_INSTANCES)
        .max_memories_per_component(MOST.memories)
        .max_memories_per_module(MOST.memories)
        .max_tables_per_component(MOST.tables)
        .max_tables_per_module(MOST.tables)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(TABLE_KEEP_RESIDENT);
    pool
}
