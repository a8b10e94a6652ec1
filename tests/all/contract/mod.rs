//! What every hub promises its callers (contract.md §1–§5).
//!
//! These tests share a hub with each other, and with strangers when `REEF_TEST_URL` names one
//! that is already running (`REEF_TEST_ADMIN_KEY` is then its admin key; without it the hub is
//! taken to run open). So each makes nodes of its own, and none counts on being alone, on the
//! size of the cluster, or on who leads it.

pub mod access;
mod admission;
pub mod agents;
mod blocks;
mod cluster;
mod edges;
mod events;
mod free_json;
mod heartbeats;
mod idempotency;
mod inbox_list;
mod inboxes;
mod ledger;
mod lists;
mod locks;
mod made_ids;
mod messages;
mod names;
mod nodes;
mod owners;
mod problems;
mod proposals;
mod registration;
mod replay;
mod sessions;
mod sizes;
mod tasks;
mod validation;

use std::sync::{Arc, Mutex, PoisonError, Weak};

pub use self::tasks::{Desk, Held, ids};
use crate::harness::{Client, Hub};

/// The fields of a node, in order.
pub const NODE_FIELDS: &[&str] = &[
    "node_id",
    "hostname",
    "platform",
    "arch",
    "status",
    "available_skills",
    "max_concurrent_tasks",
    "running_tasks",
    "ip_address",
    "tailscale_ip",
    "port",
    "cpu_usage",
    "memory_usage",
    "disk_usage",
    "total_tasks_processed",
    "successful_tasks",
    "failed_tasks",
    "average_execution_time",
    "registered_at",
    "last_heartbeat",
    "tags",
    "incarnation",
];

/// The fields of a heartbeat's answer, in order.
pub const HEARTBEAT_FIELDS: &[&str] = &[
    "success",
    "message",
    "node_id",
    "timestamp",
    "next_heartbeat_ms",
    "renewed",
    "revoked",
    "cancelled",
    "drain",
    "inbox",
    "leader",
    "term",
];

/// The hub under test. Each test holds it as long as it runs, and the last one ends it.
pub struct Subject {
    /// With the admin key, if the hub wants keys.
    pub client: Client,
    pub anonymous: Client,
    /// The admin key, if there is one.
    pub key: Option<String>,
    /// Whether the hub refuses anonymous callers.
    pub wants_keys: bool,
    /// Whether it is Reef's own host, which serves more than the components do.
    pub has_host: bool,
    own: Option<Arc<Hub>>,
}

impl Subject {
    /// A hub of the test's own, with keys on.
    pub fn of(hub: Hub) -> Self {
        Self::shared(&Arc::new(hub))
    }

    /// The same of one that the test goes on to use.
    pub fn shared(hub: &Arc<Hub>) -> Self {
        let (client, anonymous, key) = (hub.admin(), hub.anonymous(), Some(hub.admin_key()));
        let own = Some(Arc::clone(hub));
        Self { client, anonymous, key, wants_keys: true, has_host: true, own }
    }

    /// Whether somebody else has started it: it may be Spin.
    pub fn is_given(&self) -> bool {
        self.own.is_none()
    }
}

/// The hub under test: the given one, or one that the tests of this process share.
pub fn hub() -> Subject {
    static SHARED: Mutex<Weak<Hub>> = Mutex::new(Weak::new());
    if let Ok(url) = std::env::var("REEF_TEST_URL") {
        let anonymous = Client::new(&url);
        let key = std::env::var("REEF_TEST_ADMIN_KEY").ok();
        let client = key.as_ref().map_or_else(|| anonymous.clone(), |key| anonymous.with_key(key));
        // Under Spin there is no such route.
        let has_host = anonymous.get("//healthz").status == 200;
        return Subject { client, anonymous, wants_keys: key.is_some(), key, has_host, own: None };
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let hub = shared.upgrade().unwrap_or_else(|| {
        let hub = Arc::new(Hub::start());
        *shared = Arc::downgrade(&hub);
        hub
    });
    let key = Some(hub.admin_key());
    let (client, anonymous) = (hub.admin(), hub.anonymous());
    Subject { client, anonymous, key, wants_keys: true, has_host: true, own: Some(hub) }
}

/// Shorthand for tests that are just a caller with all rights.
pub fn caller() -> (Subject, Client) {
    let subject = hub();
    let client = subject.client.clone();
    (subject, client)
}
