//! The tests that run Reef as its users do: real processes, real Redis, real wasm, over HTTP.
//!
//! Run them with `cargo xtask test`, which builds what they start: `target/release/reef`, the
//! components that `spin.toml` names, and the fixtures in `target/fixtures`.

/// Starts and stops hubs and Redis servers, talks to them, and waits for what they do.
mod harness;

/// What every hub promises its callers (contract.md §1–§5). These tests need no hub to themselves,
/// so `cargo xtask test --url` runs them against any that is running, Spin's too.
mod contract;

/// The same contract where a test must have the hub to itself: expiry, leadership, open mode,
/// the host's own routes and its command line.
mod alone;

/// The queue of tasks, by its scripts alone, against a plain model.
mod queue;

/// Schedules, by their scripts alone, with hosts that die anywhere and a clock that jumps.
mod schedules;

/// What tasks use, and what is paid for them, the same way.
mod spending;

/// What has happened, as the history says it, the same way.
mod history;

/// Tasks of one session at a time, by their scripts alone, against a plain model.
mod double_texting;
/// Hosts that stop between any two scripts.
mod turns;

/// Fair shares of the queue, by its scripts alone.
mod fair_shares;

/// The ledger, by its scripts alone, against a plain model.
mod ledger;

/// What one agent may do to others: quotas, a full Redis, costs that one sets and another pays.
mod tenants;

/// What holds while things break: Redis, the host, the network, a component.
mod resilience;

/// The clients that people have: a browser, and the usual packages of Python and Node.
mod real_clients;

/// The commands that talk to a hub.
mod commands;

/// The older systems' clients, which know nothing of Reef.
mod legacy;

/// The Model Context Protocol, by which agents join.
mod mcp;

/// What holds on each route that there is: generated from `openapi.json`.
mod every_route;

/// What `openapi.json` says is what a hub does.
mod openapi;

/// HTTPS: certificates of the hub and of clients, HTTP/2.
mod tls;

/// What the README and the documents show is what happens.
mod documents;

/// What `deploy/` holds is what runs.
mod deploy;

/// Files that are made from the program and checked in.
mod generated;

/// The rules that the source tree itself keeps.
mod architecture;
