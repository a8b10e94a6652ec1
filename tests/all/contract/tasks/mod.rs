//! Tasks (contract.md §5). The tests share a hub, so each works with a skill of its own, which no other
//! test's nodes have and no other test's tasks want.

mod audience;
mod bulk;
mod busy;
mod claiming;
mod directed;
mod edits;
mod ending;
mod fairness;
mod finding;
mod fleet;
mod flows;
mod history;
mod in_sessions;
mod limits;
mod lists;
mod logs;
mod priced;
mod refusals;
mod repeats;
mod runners;
mod schedules;
mod submitting;
mod unique;
mod usage;
mod waiting;
mod waits;
mod why;

use serde_json::{Value, json};

use crate::harness::{Client, unique};

/// The fields of a task, in order.
pub const TASK_FIELDS: &[&str] = &[
    "task_id",
    "task_type",
    "name",
    "description",
    "required_skills",
    "optional_skills",
    "status",
    "priority",
    "assigned_node",
    "submitted_at",
    "scheduled_at",
    "started_at",
    "completed_at",
    "parameters",
    "timeout",
    "retry_count",
    "max_retries",
    "user_id",
    "affinity_tags",
    "result",
    "error",
    "metadata",
    "session_id",
    "message_id",
    "progress",
    "audience",
    "target_node",
];

/// A corner of the queue: tasks that want one skill, and nodes that have it.
pub struct Desk {
    pub client: Client,
    pub skill: String,
}

/// A task that a node holds.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: String,
    pub token: String,
    pub task: Value,
}

impl Desk {
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), skill: unique("skill") }
    }

    /// Submits a task of this desk with these fields and returns it.
    #[track_caller]
    pub fn submit_with(&self, fields: Value) -> Value {
        let mut body = json!({"name": "work", "required_skills": [self.skill]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.client.post("/tasks", &body).ok()
    }

    /// Submits a task of this desk and returns its id.
    #[track_caller]
    pub fn submit(&self, fields: Value) -> String {
        id_of(&self.submit_with(fields))
    }

    /// A node of this desk with room for that many tasks.
    #[track_caller]
    pub fn node(&self, max: i64) -> String {
        self.node_with(json!({"max_concurrent_tasks": max}))
    }

    /// A node of this desk, registered with these fields.
    #[track_caller]
    pub fn node_with(&self, fields: Value) -> String {
        let mut body = crate::harness::registration(&unique("node"));
        body["available_skills"] = json!([self.skill]);
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.client.post("/nodes/register", &body).ok()["node_id"].as_str().unwrap().to_owned()
    }

    /// Claims with these fields.
    #[track_caller]
    pub fn claim_with(&self, node: &str, fields: Value) -> Vec<Held> {
        let mut body = json!({"node_id": node, "limit": 100});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let held = held(&self.client.post("/tasks/claim", &body).ok());
        for one in &held {
            let is_free = |name: &str, free: Value| one.task[name] == free;
            let is_anybodys = is_free("required_skills", json!([]))
                && is_free("audience", json!("any"))
                && is_free("target_node", Value::Null);
            assert!(
                !is_anybodys,
                "a task that any node may run is in the way of all: {}",
                one.task
            );
        }
        held
    }

    /// Claims all that the node may have.
    #[track_caller]
    pub fn claim(&self, node: &str) -> Vec<Held> {
        self.claim_with(node, json!({}))
    }

    /// Claims one, which must be there.
    #[track_caller]
    pub fn claim_one(&self, node: &str) -> Held {
        self.claim_for(node, 30_000)
    }

    /// The same, for so long.
    #[track_caller]
    pub fn claim_for(&self, node: &str, lease_ms: i64) -> Held {
        let mut one = self.claim_with(node, json!({"limit": 1, "lease_ms": lease_ms}));
        assert_eq!(one.len(), 1, "{node} got nothing");
        one.remove(0)
    }

    /// The task as it is now.
    #[track_caller]
    pub fn task(&self, id: &str) -> Value {
        self.client.get(&format!("/tasks/{id}")).ok()
    }

    #[track_caller]
    pub fn status(&self, id: &str) -> String {
        self.task(id)["status"].as_str().unwrap().to_owned()
    }

    /// Posts to a task under its token.
    #[track_caller]
    pub fn post(&self, held: &Held, verb: &str, fields: Value) -> crate::harness::Answer {
        let mut body = json!({"token": held.token});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.client.post(&format!("/tasks/{}/{verb}", held.id), &body)
    }

    /// Fails a task for good, so that it is a dead letter.
    #[track_caller]
    pub fn bury(&self, node: &str, id: &str) {
        let held = self.claim_one(node);
        assert_eq!(held.id, id);
        self.post(&held, "fail", json!({"error": "broken", "retryable": false})).ok();
    }
}

pub fn id_of(task: &Value) -> String {
    task["task_id"].as_str().unwrap_or_else(|| panic!("{task}: no task")).to_owned()
}

pub fn ids(tasks: &[Value]) -> Vec<String> {
    tasks.iter().map(id_of).collect()
}

pub fn ids_of(held: &[Held]) -> Vec<&str> {
    held.iter().map(|held| held.id.as_str()).collect()
}

/// The tasks of a claim's answer.
pub fn held(answer: &Value) -> Vec<Held> {
    let tasks = answer["tasks"].as_array().unwrap_or_else(|| panic!("{answer}: no tasks"));
    let held = tasks.iter().map(|task| Held {
        id: id_of(task),
        token: task["token"].as_str().unwrap().to_owned(),
        task: task.clone(),
    });
    held.collect()
}
