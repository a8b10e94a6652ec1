//! What the components share at the HTTP edge. Handlers written against it are async functions
//! over a Redis port; they know neither Spin nor a version of WASI.
//!
//! # Layout
//! - [`http`]: a request and an answer as plain records.
//! - [`route`]: routes as data, and what is done with a request: match, authenticate, call.
//! - [`problem`]: errors as `application/problem+json`.
//! - [`edge`]: by which hosts a hub is called, and from which pages.
//! - [`durability`]: how safe a write shall be, and is.
//! - [`cors`]: what browsers are told about pages of other origins.
//! - [`auth`]: who calls, and what that caller may do.
//! - [`stand_in`]: what the host sends in place of a browser's cookie.
//! - [`trail`]: of which requests the audit tells, and what.
//! - [`extract`]: bodies, ids and query parameters, with the field in every complaint.
//! - [`task`]: what the components have in common that take tasks.
//! - [`page`]: limits, cursors and `Link`.
//! - [`once`][]: `Idempotency-Key`.
//! - [`config`]: what the variables of a deployment say.
//! - `component`: the adapters to Spin and to the Reef host, in wasm only.

mod acting;
mod audit;
pub mod auth;
#[cfg(all(target_family = "wasm", feature = "spin"))]
pub mod component;
pub mod config;
mod context;
pub mod cors;
mod credential;
pub mod durability;
pub mod edge;
pub mod extract;
pub mod http;
pub mod money;
pub mod once;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod page;
pub mod problem;
pub mod rate;
mod remembered;
pub mod route;
mod secret;
pub mod stand_in;
pub mod task;
pub mod trail;

pub use config::Config;
pub use context::Context;
pub use http::{Request, Response};
pub use problem::{Code, Problem};
pub use route::{App, Route};
