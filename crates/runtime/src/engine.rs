//! The wasmtime engine, tuned for many short-lived calls.

use crate::RuntimeConfig;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Address space per linear memory. With the whole 32-bit range reserved, compiled code needs no
/// bounds checks; pages are only used once they are written to.
const RESERVATION_WHOLE: u64 = 4 << 30;

/// Core modules and tables that a component made by the usual tools consists of: the program
/// itself and a few shims, which have no memory of their own.
const CORE_INSTANCES_EACH: u32 = 8;
const TABLES_EACH: u32 = 4;

/// How much of a used memory is cleaned by hand instead of being given back to the kernel.
const KEEP_RESIDENT: usize = 2 << 20;

/// Memories of the pool that is reserved to see what that costs.
const TRIED_MEMORIES: u32 = 16;

/// Their reservation may take so much of the real memory, in bytes; usually it takes next to nothing.
const TRIAL_MAX: u64 = 128 << 20;

/// Builds the engine. Where the system does not allow the usual address space (in a container
/// with a limit on it), memories are reserved at their largest size instead, or only when they are
/// needed, each at some cost in speed.
pub(crate) fn build(config: &RuntimeConfig) -> anyhow::Result<Engine> {
    let smallest = config.max_memory_bytes as u64;
    if reserving_takes_memory(config) {
        tracing::info!(
            "memory that is only reserved is taken here, as by an emulator: instances of components are \
             made one by one, which is slower"
        );
        return engine(RESERVATION_WHOLE, InstanceAllocationStrategy::OnDemand);
    }
    let pooling = || InstanceAllocationStrategy::Pooling(pool(config, config.max_instances));
    engine(RESERVATION_WHOLE, pooling())
        .or_else(|error| {
            tracing::info!("the address space is limited, so components run slower: {error:#}");
            engine(smallest, pooling())
        })
        .or_else(|_| engine(smallest, InstanceAllocationStrategy::OnDemand))
}

/// An engine that compiles for every processor of a target what the first of [`build`]'s engines
/// runs. It makes no instances, so that it reserves nothing.
pub(crate) fn for_target(target: &str) -> anyhow::Result<Engine> {
    let mut settings = settings(RESERVATION_WHOLE);
    settings.target(target)?;
    Ok(Engine::new(&settings)?)
}

/// Whether address space takes memory before it is used. An emulator keeps a note of each page, and the
/// pool has a thousand million of them, which would take all the memory of a machine.
fn reserving_takes_memory(config: &RuntimeConfig) -> bool {
    let Some(before) = resident() else { return false };
    let some = InstanceAllocationStrategy::Pooling(pool(config, TRIED_MEMORIES));
    let tried = engine(RESERVATION_WHOLE, some);
    let after = resident().unwrap_or(before);
    drop(tried);
    after.saturating_sub(before) > TRIAL_MAX
}

/// How much memory this process takes, in bytes, where the system says it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kilobytes << 10)
}

fn engine(reservation: u64, allocation: InstanceAllocationStrategy) -> anyhow::Result<Engine> {
    let mut settings = settings(reservation);
    settings.allocation_strategy(allocation);
    Ok(Engine::new(&settings)?)
}

/// What compiled code depends on.
fn settings(reservation: u64) -> Config {
    let mut settings = Config::new();
    settings.wasm_component_model(true);
    settings.wasm_component_model_async(true);
    settings.epoch_interruption(true);
    settings.memory_reservation(reservation);
    settings
}

fn pool(config: &RuntimeConfig, instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_EACH))
        .total_tables(instances.saturating_mul(TABLES_EACH))
        .total_memories(instances)
        .total_stacks(instances.saturating_mul(2))
        .max_memory_size(config.max_memory_bytes)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    pool
}
