//! The interfaces that the host offers to components: Spin's Redis and variables, in the older
//! synchronous and the newer asynchronous version, both over the same few functions.

mod operations;
mod redis;
mod variables;

use crate::state::State;
use wasmtime::component::{HasSelf, Linker};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "host",
        imports: { default: async | trappable },
        with: {
            "spin:redis/redis.connection": crate::imports::Client,
            "fermyon:spin/redis.connection": crate::imports::Client,
        },
    });
}

mod cron {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "cron",
        exports: { default: async },
    });
}

pub(crate) use cron::CronPre;
pub(crate) use cron::fermyon::spin_cron::cron_types::{Error as CronError, Metadata as CronEvent};

/// What a component holds when it has opened a connection: its share of the process's one.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Client(reef_redis::Connection);

/// Offers everything to the components that a linker links.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    bindings::Host_::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
}
