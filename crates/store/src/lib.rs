//! The Redis port, the key names, and one typed call for each Lua script.
//!
//! # Layout
//! - [`port`]: what the hub needs of Redis; implemented elsewhere, for each platform.
//! - [`packed`]: lists in one buffer, between a component and the host.
//! - [`keys`]: every key name (`keys.toml` is the table).
//! - [`script`]: how a script is called, once or idempotently, and how its reply is read.
//! - [`node`], [`heartbeat`], [`cluster`], [`leader`], [`lock`], [`event`], [`monitor`], [`name`], [`session`],
//!   [`message`], [`inbox`], [`proposal`], [`task`], [`tasklog`], [`agent`], [`key`], [`invite`], [`account`], [`hold`],
//!   [`intent`], [`position`], [`entry`], [`host`], [`restored`], [`history`],
//!   [`sign_in_link`]: the calls, one for each file under `lua/`.
//! - [`ledger`]: what the calls on money share.
//! - [`durability`]: how safe a write shall be.
//! - [`variables`]: what a deployment can set; [`settings`]: what that says about keys and liveness.
//!
//! Nothing here knows HTTP, Spin or wasmtime. Every operation is one script and one round trip.

pub mod account;
pub mod admission;
pub mod agent;
pub mod apart;
pub mod audit;
pub mod bulk;
pub mod cluster;
pub mod durability;
pub mod entry;
pub mod event;
pub mod fairness;
pub mod group;
pub mod heartbeat;
pub mod history;
pub mod hold;
pub mod host;
pub mod inbox;
pub mod intent;
pub mod invite;
pub mod key;
pub mod keys;
pub mod leader;
pub mod ledger;
pub mod limit;
pub mod lock;
pub mod message;
pub mod monitor;
pub mod name;
pub mod node;
pub mod packed;
pub mod port;
pub mod position;
pub mod proposal;
pub mod queue;
pub mod quota;
pub mod restored;
pub mod schedule;
pub mod script;
pub mod session;
pub mod settings;
pub mod sign_in_link;
pub mod steps;
pub mod task;
pub mod tasklog;
pub mod usage;
pub mod variables;
pub mod wait;

pub use keys::{Keys, Layout};
pub use port::{Redis, RedisError, Reply};
pub use quota::Quotas;
pub use script::{Answered, Once, Store, StoreError};
pub use settings::Settings;
