//! Protocols that agents speak, translated into the hub's contract and back.
//!
//! Nothing here does I/O, reads a clock, or knows how a hub is reached: a [`Hub`] takes requests of the
//! contract, be it the host that dispatches them to its components, or a client over HTTP. So whatever
//! the contract says of keys, scopes, owners, limits and repeats holds for each protocol by itself.
//!
//! ```text
//!   mcp ──▶ tools, resources, prompts ──▶ Hub
//! ```
//!
//! - [`hub`]: requests of the contract and their answers.
//! - [`caller`]: whose key it is, and what it may do.
//! - [`problem`]: what went wrong, and what an agent does next.
//! - [`tools`]: what an agent can do, in no protocol's words: names, arguments, requests, results.
//! - [`resources`], [`prompts`]: what it can read, and how it is told to work.
//! - [`renewal`]: an agent that calls is alive, so its claims are renewed.
//! - [`mcp`]: the Model Context Protocol over all of that. Another protocol would stand beside it.

pub mod caller;
pub mod hub;
pub mod mcp;
pub mod problem;
pub mod prompts;
pub mod renewal;
pub mod resources;
pub mod schema;
pub mod tools;

pub use caller::Caller;
pub use hub::{Hub, Method, Request, Response};
pub use problem::Problem;
