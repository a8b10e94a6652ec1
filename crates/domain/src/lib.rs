//! The rules of Reef: types, validation, limits. No I/O, no clock, no randomness, no HTTP.
//!
//! # Layout
//! - [`id`]: what may name a node, a task, an agent; which words are reserved.
//! - [`name`]: what may stand in a name that people read.
//! - [`node`]: a node's status, platform and architecture; what a registration or a change of a
//!   node must look like.
//! - [`heartbeat`]: what a heartbeat carries, and how often nodes are asked to send one.
//! - [`leader`]: the bounds of a leadership lease.
//! - [`message`]: roles, content blocks, places in a message's events.
//! - [`shown`]: how texts of others are shown.
//! - [`task`]: what may be submitted, and the words for it.
//! - [`task_log`]: what may be written to a task's log.
//! - [`proposal`]: work that one agent asks another to take on.
//! - [`ledger`]: what may be asked of the ledger, and the words for it.
//! - [`audit`]: whether what is in the ledger's keys is what the journal says.
//! - [`trail`]: the entries of the audit, how they are linked, and whether they are whole.
//! - [`journal`]: the entries of the ledger, how they are linked, and whether they are whole.
//! - [`impossible`]: why an entry cannot be one of the hub's.
//! - [`access`]: what a key allows, and how keys look.
//! - [`reservations`]: what the journal says of holds, intents and positions.
//! - [`flow`]: what a task may follow.
//! - [`wait`]: what a task may wait for.
//! - [`usage`]: what tasks may use, and what is paid for them.
//! - [`limits`]: every bound of the hub, with its reason.
//! - [`invalid`]: what is wrong with an input, field by field.

pub mod access;
pub mod audit;
pub mod edit;
pub mod fairness;
pub mod filter;
pub mod flow;
pub mod heartbeat;
pub mod id;
pub mod impossible;
pub mod invalid;
pub mod journal;
pub mod json;
pub mod label;
pub mod ledger;
pub mod limit;
pub mod limits;
pub mod message;
pub mod name;
pub mod node;
pub mod proposal;
pub mod reservations;
pub mod retry;
pub mod schedule;
pub mod shown;
pub mod task;
pub mod task_log;
pub mod trail;
pub mod unique;
pub mod usage;
pub mod wait;

pub use invalid::Invalid;
pub use reef_api::money::{self, Money};
pub use reef_api::time;
