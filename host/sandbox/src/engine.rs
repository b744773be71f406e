//! How the WebAssembly engine is set up: the pool of instances, what guests may use of the language, and the guards.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::generation::Generation;
use super::parts::{MOST, MOST_CORE_INSTANCES};

/// Executions that the pool has places for beyond those of requests: trials of components that are loaded meanwhile.
const TRIALS: u32 = 16;

/// Places for memories that the address space of a process has room for: each takes some 4 GiB of it, and the largest
/// gap in it has some 85 TiB. Beyond 3,000 executions of WASI 0.2 and 1,600 of 0.3, those with four memories have to share
/// them.
const MOST_MEMORIES: u32 = 12_000;
const MOST_CONCURRENT_MEMORIES: u32 = 6_500;
const MOST_RESIDENT_MEMORIES: u32 = 500;

/// Stacks for each execution of a component of WASI 0.3. It takes one for each of its components that waits, and one that
/// runs. See [`Stacks`](super::stacks::Stacks).
const STACKS_OF_CONCURRENT: u32 = 3;

/// The largest table a component may declare, in elements.
const TABLE_ELEMENTS: usize = 64_000;

/// Memory that a free slot of the pool keeps, in bytes, cleared by writing instead of by giving pages back. Giving
/// pages back makes the kernel interrupt every other thread of the process, which costs more than a small guest. Linkers put
/// 1 MiB of stack before a guest's data; with that and its heap it should not be more than this.
const KEEP_RESIDENT: usize = 1280 * 1024;
const TABLE_KEEP_RESIDENT: usize = 16 * 1024;

/// The same in the pool of components whose memory starts full. An interpreter in it writes to hundreds of pages, here
/// and there; each would be copied again, at a page fault of its own, if it were given back. The whole of CPython's 26 MiB
/// is copied at once in a fraction of that time.
///
/// What was written could be asked of the kernel (`PAGEMAP_SCAN`), but it does not tell of pages that are swapped out or
/// moved at that moment. The next execution would find there what the last one left.
const KEEP_ALL_RESIDENT: usize = 32 << 20;

/// Stack that a guest may use, in bytes, below that of its fibre, so that host calls have room of their own.
const WASM_STACK: usize = 512 * 1024;
const FIBRE_STACK: usize = 1024 * 1024;

/// An engine that runs so many executions at once. Its instances come from a pool, or one by one where the system does not
/// let us reserve the pool.
pub(crate) fn engine(generation: Generation, executions: u32) -> wasmtime::Result<Engine> {
    let pooled = InstanceAllocationStrategy::Pooling(pool(generation, executions));
    let on_demand = InstanceAllocationStrategy::OnDemand;
    Engine::new(base(generation).allocation_strategy(pooled))
        .or_else(|_| Engine::new(base(generation).allocation_strategy(on_demand)))
}

/// Stacks that the pool of [`Generation::Wasi03`] has for so many executions.
pub(crate) fn concurrent_stacks(executions: u32) -> u32 {
    let executions = executions.saturating_add(TRIALS);
    executions.saturating_mul(STACKS_OF_CONCURRENT)
}

/// An engine for components whose memory starts full. It has so many places that what they keep is an eighth of
/// `total_memory` at the most.
pub(crate) fn resident_engine(executions: u32, total_memory: u64) -> Option<Engine> {
    let memories = total_memory / 8 / KEEP_ALL_RESIDENT as u64;
    let most = executions.min(MOST_RESIDENT_MEMORIES);
    let memories = u32::try_from(memories).unwrap_or(most).min(most);
    if memories == 0 {
        return None;
    }
    let mut pool = places(memories);
    pool.total_memories(memories)
        .linear_memory_keep_resident(KEEP_ALL_RESIDENT);
    let pooled = InstanceAllocationStrategy::Pooling(pool);
    Engine::new(base(Generation::Wasi02).allocation_strategy(pooled)).ok()
}

/// What code is compiled for. A compiler in another process needs the same.
pub(crate) fn base(generation: Generation) -> Config {
    let mut config = Config::new();
    let concurrent = generation == Generation::Wasi03;
    config
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBRE_STACK)
        // Components of WASI 0.2 need no concurrent calls into one instance, and each call is cheaper without them.
        .concurrency_support(concurrent)
        .wasm_component_model_async(concurrent)
        // Proposals that no released toolchain needs by default stay off: less to trust.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false);
    config
}

/// What `engine` was set up for.
pub(crate) fn generation(engine: &Engine) -> Generation {
    match engine.get_concurrency_support() {
        true => Generation::Wasi03,
        false => Generation::Wasi02,
    }
}

/// Tells engines apart that cannot run what is compiled for each other.
pub(crate) fn fingerprint(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// Places for so many executions, and for trials.
fn pool(generation: Generation, executions: u32) -> PoolingAllocationConfig {
    let stacks = concurrent_stacks(executions);
    let executions = executions.saturating_add(TRIALS);
    let memories = executions.saturating_mul(MOST.memories);
    let mut pool = places(executions);
    let most_memories = match generation {
        Generation::Wasi02 => MOST_MEMORIES,
        Generation::Wasi03 => {
            pool.total_stacks(stacks);
            MOST_CONCURRENT_MEMORIES
        }
    };
    pool.total_memories(memories.min(most_memories))
        .linear_memory_keep_resident(KEEP_RESIDENT);
    pool
}

/// Places for so many executions, each with all that a component may have but its memories.
fn places(executions: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(executions)
        .total_stacks(executions)
        .total_core_instances(executions.saturating_mul(MOST_CORE_INSTANCES))
        .total_tables(executions.saturating_mul(MOST.tables))
        .max_core_instances_per_component(MOST_CORE_INSTANCES)
        .max_memories_per_component(MOST.memories)
        .max_memories_per_module(MOST.memories)
        .max_tables_per_component(MOST.tables)
        .max_tables_per_module(MOST.tables)
        .table_elements(TABLE_ELEMENTS)
        .table_keep_resident(TABLE_KEEP_RESIDENT);
    pool
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, PoolConcurrencyLimitError, Store};

    use super::*;

    const MIB: u64 = 1 << 20;

    fn module(engine: &Engine, text: &str) -> Module {
        Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn what_places_keep_of_memory_that_starts_full_is_an_eighth_at_the_most() {
        assert!(resident_engine(1000, 255 * MIB).is_none());
        let engine = resident_engine(1000, 511 * MIB).expect("there is address space");
        let module = module(&engine, "(module (memory (export \"m\") 640))");
        let instance = || -> wasmtime::Result<Store<()>> {
            let mut store = Store::new(&engine, ());
            store.set_epoch_deadline(1);
            let instance = Instance::new(&mut store, &module, &[])?;
            let memory = instance.get_memory(&mut store, "m").unwrap();
            memory.data_mut(&mut store).fill(1);
            Ok(store)
        };
        let running = instance().expect("there is one place");
        let full = instance().map(drop).unwrap_err();
        assert!(full.is::<PoolConcurrencyLimitError>(), "{full:#}");
        drop(running);
        let kept = engine
            .pooling_allocator_metrics()
            .unwrap()
            .unused_memory_bytes_resident();
        assert_eq!(kept as u64, 32 * MIB, "of 40 MiB");
        instance().expect("there is one place again");
    }

    #[test]
    fn there_are_no_more_such_places_than_executions() {
        let engine = resident_engine(2, 1 << 40).expect("there is address space");
        let module = module(&engine, "(module (memory 1))");
        let mut store = Store::new(&engine, ());
        let mut instance = || Instance::new(&mut store, &module, &[]);
        assert!(instance().is_ok() && instance().is_ok() && instance().is_err());
    }
}
