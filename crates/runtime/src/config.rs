//! What the caller decides: limits for all components, and what belongs to one of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::Carried;

/// Limits and settings for all components of a process.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// Where compiled code is kept between starts; `None` compiles anew each time, which takes a
    /// component about a third of a second. Whoever can write there can run code in the host.
    pub cache_dir: Option<PathBuf>,
    /// Whether a component that offers the direct interface is called by it. Without it all are
    /// called through wasi:http, as other hosts do.
    pub use_direct: bool,
    /// How many instances may be alive at once, of all components together.
    pub max_instances: u32,
    /// How many calls may be under way at once, to all components together. Each takes up to
    /// `max_memory_bytes`, so both together bound the memory.
    pub max_concurrent_requests: usize,
    /// How long a call waits for one of those places before it is turned away.
    pub max_waiting: Duration,
    /// The largest linear memory of an instance, in bytes.
    pub max_memory_bytes: usize,
    /// After how many calls an instance is replaced, so that a slow leak does not last.
    pub max_reuse: u32,
    /// The largest response body of the direct interface, in bytes.
    pub max_body_bytes: usize,
    /// How long one call may take, waiting for Redis included.
    pub request_timeout: Duration,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            use_direct: true,
            max_instances: 1000,
            max_concurrent_requests: 128,
            max_waiting: Duration::from_secs(1),
            max_memory_bytes: 64 << 20,
            max_reuse: 10_000,
            max_body_bytes: 16 << 20,
            request_timeout: Duration::from_secs(10),
        }
    }
}

/// Where a component's code is.
#[derive(Debug, Clone)]
pub enum Code {
    /// In a `.wasm` file.
    File(PathBuf),
    /// In this program.
    Carried(Carried),
}

impl Default for Code {
    fn default() -> Self {
        Self::File(PathBuf::new())
    }
}

/// One component: its code, and what it is allowed and given.
#[derive(Debug, Clone, Default)]
pub struct ComponentSpec {
    /// Its name in the manifest, which logs and errors show.
    pub id: String,
    /// Its code.
    pub code: Code,
    /// The variables it may read, templates already resolved.
    pub variables: BTreeMap<String, String>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The servers it may talk to, as in `spin.toml`: `scheme://host[:port]`, with `*` for any
    /// part, or the whole address of a unix socket. Templates are already resolved.
    pub allowed_outbound_hosts: Vec<String>,
}
