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

/// Builds the engine. Where the system does not allow the usual address space (in a container
/// with a limit on it), memories are reserved at their largest size instead, or only when they are
/// needed, each at some cost in speed.
pub(crate) fn build(config: &RuntimeConfig) -> anyhow::Result<Engine> {
    let smallest = config.max_memory_bytes as u64;
    let pooling = || InstanceAllocationStrategy::Pooling(pool(config));
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

fn pool(config: &RuntimeConfig) -> PoolingAllocationConfig {
    let instances = config.max_instances;
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
