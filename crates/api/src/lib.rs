//! What goes over the wire between a hub and its callers, once: the components write it, the client
//! reads it, and `openapi.json` is made from it. No I/O and no rules: whether a request is good is for
//! `reef-domain`.
//!
//! # Layout
//! - [`id`]: what names a node, a task, a session; each kind is a type of its own.
//! - [`word`]: statuses and other words of which there is a list, and how one that a newer hub has
//!   added is kept.
//! - [`lax`]: numbers as the older services took them.
//! - [`time`], instants as Redis gives them and how they are written.
//! - [`money`]: exact amounts.
//! - [`node`], [`heartbeat`], [`cluster`], [`durability`], [`leader`], [`task`], [`wait`], [`flow`], [`limit`], [`usage`], [`history`], [`session`], [`message`],
//!   [`mail`], [`agent`], [`ledger`], [`audit`]: requests and answers, by what they are about.
//! - [`problem`]: what is answered in place of a success.
//!
//! # Compatibility
//! - Fields that a type does not know are ignored, so that either side may be the newer one.
//! - `null` is absent. The fields of requests are therefore optional, also those that must be there:
//!   the rules say so in their own words. A program sends `null` for what it leaves out.
//! - Numbers may be texts, and whole numbers may have a fraction of zero ([`lax`]).
//! - A word that is not known is kept ([`word::Open`]).
//! - JSON that is kept as it came is handed on to the letter (`RawValue`).

#![allow(
    missing_docs,
    reason = "what is said of a field stands in openapi.json; some names need no more"
)]

pub mod agent;
pub mod audit;
pub mod bulk;
pub mod cluster;
pub mod durability;
pub mod fairness;
pub mod find;
pub mod flow;
pub mod heartbeat;
pub mod history;
pub mod id;
pub mod lax;
pub mod leader;
pub mod ledger;
pub mod limit;
pub mod lock;
pub mod mail;
pub mod message;
pub mod money;
pub mod node;
pub mod problem;
pub mod schedule;
pub mod session;
pub mod task;
pub mod time;
pub mod usage;
pub mod wait;
pub mod word;

pub use id::{
    AgentId, BulkId, ContentId, GroupId, HoldId, IntentId, InviteId, KeyId, LimitId, LockId,
    MailId, MatchId, MessageId, NodeId, PositionId, ScheduleId, SessionId, TaskId, Token, WaitId,
};
pub use money::Money;
pub use problem::Code;
pub use word::{Open, Word};
