//! How safe a write is: what a caller may ask for (`Prefer: durability=…`), and what a store can give.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::word::{Open, words};

words! {
    /// Where a write is when its answer comes.
    Durability {
        /// In the memory of the server, which does with it what it is set to do.
        Memory = "memory",
        /// On the server's disk: its append-only file is synced up to the write.
        Disk = "disk",
        /// In the memory of replicas as well.
        Replica = "replica",
        /// On the server's disk, and on that of replicas.
        ReplicaDisk = "replica-disk",
    }

    /// How a store gives a level.
    Giving {
        /// Each write has it when it is answered.
        AtOnce = "at_once",
        /// A write that asks for it is waited for.
        Awaited = "awaited",
        /// It cannot.
        No = "no",
    }
}

/// One level, as a store gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LevelGiven<'a> {
    pub level: Open<Durability>,
    pub given: Open<Giving>,
    /// Up to how many replicas may be asked for; `null` where the level knows none.
    pub replicas: Option<u32>,
    /// Why it is given in this way, or why not: one sentence.
    pub why: Cow<'a, str>,
}

/// `GET /cluster/durability` (`contract.md` §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DurabilityGiven<'a> {
    /// Who waits for a write: `host`, or `server`: nobody does, and the server does what it is set to.
    pub by: Cow<'a, str>,
    /// Each level; of a Redis Cluster, what all its primaries give.
    pub levels: Vec<LevelGiven<'a>>,
    /// What a write about money has that asks for nothing.
    pub money: Cow<'a, str>,
    /// The same of every other write.
    pub default: Cow<'a, str>,
}
