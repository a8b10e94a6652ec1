//! Runs Spin components with wasmtime.
//!
//! A component is called by its direct interface (`reef:hub/handler`, see `wit/hub.wit`) where it
//! has one, otherwise by wasi:http as on Spin. It gets WASI, Spin's Redis and variables in both
//! versions, and nothing else: no files, no sockets, no outbound HTTP.
//!
//! The crate knows nothing of Reef: it would serve any application made of such components.
//!
//! Start reading at [`Runtime`]; `direct` is the hot path.

mod body;
mod cache;
mod carried;
mod component;
mod config;
mod direct;
mod engine;
mod error;
mod imports;
mod lines;
mod long_calls;
mod outbound;
mod proxy;
mod state;
mod stats;

pub use body::Body;
pub use carried::{Carried, Packed, pack};
pub use component::{Component, Runtime};
pub use config::{Code, ComponentSpec, RuntimeConfig};
pub use error::CallError;
pub use stats::Stats;
