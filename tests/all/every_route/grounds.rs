//! What the requests are about: an agent with one of everything.

use reef_domain::access::Scopes;
use serde_json::{Value, json};

use super::document::Operation;
use super::principals::{Principal, Standing, keys_of};
use crate::contract::Subject;
use crate::contract::access::foreign::{Estate, LEASE_MS, Meets};
use crate::contract::agents::new_agent;

/// What the tasks ask for that are submitted.
pub const SKILL: &str = "whatever-comes";

/// One agent's things, and its keys.
pub struct Grounds {
    pub estate: Estate,
    pub owners: Vec<Principal>,
    /// The same with the scopes of all, `admin` too.
    pub owner: Principal,
    invite: String,
    proposal: String,
    /// An open intent of somebody else that fits the owner's.
    counterpart: String,
    /// An agent that money can go to.
    friend: String,
    /// Under which the owner's node leads, if it does.
    term: i64,
}

/// A request that is right, but for who sends it.
pub struct Asked {
    /// What a stranger meets with it.
    pub meets: Meets,
    pub path: String,
    /// `Null`: none.
    pub body: Value,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}: not a text")).to_owned()
}

impl Grounds {
    #[track_caller]
    pub fn new(hub: &Subject) -> Self {
        let estate = Estate::of(hub);
        let owners = keys_of(hub, &estate.alice, true);
        let has_all = |it: &&Principal| matches!(it.standing, Standing::Agent { scopes, .. } if scopes == Scopes::ALL);
        let owner = owners.iter().find(has_all).unwrap().clone();
        let friend = new_agent(hub);
        let deposit = json!({"agent_id": friend.id, "amount": "100"});
        friend.client.post("/deposit", &deposit).ok();
        let short = json!({
            "agent_id": friend.id, "intent_type": "short", "asset": "ETH-PERP", "size": "10",
        });
        let counterpart = text(&friend.client.post("/intents", &short).ok()["intent"]["intent_id"]);
        let invite = hub.client.post("/invites", &json!({})).ok();
        let letter = json!({"from": friend.id, "topic": "task_proposal", "content": {
            "idea": "tidy up", "tasks": [{"name": "mop", "required_skills": [estate.skill]}],
            "difficulty": 5, "value": 8,
        }});
        let proposal = friend.client.post(&format!("/inbox/{}", estate.alice.id), &letter).ok();
        let price = json!({"price": "2000"});
        let position = estate.path("/api/v1/positions/{id}/mark");
        hub.client.post(&position, &price).ok();
        Self {
            owners,
            owner,
            invite: text(&invite["invite_info"]["invite_id"]),
            proposal: text(&proposal["msg_id"]),
            counterpart,
            friend: friend.id,
            term: 1,
            estate,
        }
    }

    /// What is asked on an operation by this caller.
    pub fn asked(&self, operation: &Operation, by: &Principal) -> Asked {
        let Operation { method, path, .. } = operation;
        let is_the_hosts = operation.is_the_hosts;
        let (meets, body) = match (method.as_str(), path.as_str()) {
            // Whose message or task it is, is looked at here as well.
            (
                _,
                "/api/v1/sessions/{sid}/messages/{mid}/stream" | "/api/v1/tasks/{id}/log/stream",
            ) => (Meets::Nothing, Value::Null),
            _ if is_the_hosts => (Meets::Welcome, Value::Null),
            (method, path) => self.estate.request(method, path),
        };
        // Everybody may send in its own name.
        let meets = match operation.name().as_str() {
            "POST /api/v1/inbox/{agent}" => Meets::Welcome,
            _ => meets,
        };
        let fill = |path: &str| match path {
            "/problems/{code}" => "//problems/not_found".to_owned(),
            "/ui/{asset}" => "//ui/app.js".to_owned(),
            "/api/v1/invites/{id}" => format!("/invites/{}", self.invite),
            path => self.estate.path(&path.replace("{msg_id}", &self.proposal)),
        };
        let body = self.completed(operation, body, by);
        // The path of the host's own routes begins where the host's begins.
        let mut path = fill(path).replace("///", "//");
        if operation.name() == "GET /api/v1/auth/keys" {
            path += &format!("?agent_id={}", self.whose(by));
        }
        if operation.name() == "GET /api/v1/entries/index" {
            path += &format!("?agent_id={}", self.estate.alice.id);
        }
        if operation.name() == "GET /api/v1/audit/seals" {
            path += "?chain=ledger";
        }
        Asked { meets, path, body }
    }

    /// Whose keys somebody asks for: its own, if it can have some.
    fn whose<'a>(&'a self, by: &'a Principal) -> &'a str {
        match by.standing {
            Standing::Admin => &self.estate.alice.id,
            _ => &by.agent_id,
        }
    }

    /// Brings about what an operation needs that is not so by itself.
    pub fn prepare(&mut self, operation: &Operation, hub: &Subject) {
        let alice = &self.estate.alice.client;
        match operation.name().as_str() {
            "DELETE /api/v1/tasks/{id}" => {
                alice.post_empty(&format!("/tasks/{}/cancel", self.estate.task)).ok();
            }
            "POST /api/v1/locks/{name}/renew" | "POST /api/v1/locks/{name}/release" => {
                let path = format!("/locks/{}/acquire", self.estate.lock);
                let held = alice.post(&path, &json!({"holder": "alice", "ttl_ms": LEASE_MS})).ok();
                assert_eq!(held["is_held"], true, "{held}");
                self.estate.lock_term = held["lock"]["term"].as_i64().unwrap();
            }
            "POST /api/v1/cluster/leader/resign" => {
                let led = hub.client.get("/cluster/leader").ok();
                if led["leader"].is_string() {
                    let resigns = json!({"node_id": led["leader"], "term": led["term"]});
                    hub.client.post("/cluster/leader/resign", &resigns).ok();
                }
                let campaigns = json!({"node_id": self.estate.node, "ttl_ms": 600_000});
                let won = alice.post("/cluster/leader/campaign", &campaigns).ok();
                assert_eq!(won["is_leader"], true, "{won}");
                self.term = won["term"].as_i64().unwrap();
            }
            _ => {}
        }
    }

    /// Lets the owner's node hold another task, after an operation that has ended the one before.
    pub fn is_held_anew(&mut self, operation: &Operation) -> bool {
        let name = operation.name();
        let is_end = ["complete", "fail"]
            .iter()
            .any(|verb| name.strip_prefix("POST /api/v1/tasks/{id}/") == Some(verb));
        if is_end {
            self.estate.hold_another();
        }
        is_end
    }

    /// A body that names what is there.
    fn completed(&self, operation: &Operation, mut body: Value, by: &Principal) -> Value {
        match operation.path.strip_prefix("/api/v1").unwrap_or_default() {
            // Alice's node has no such skill, so that nobody but who is looked for takes them.
            "/tasks" | "/sessions/{sid}/tasks" if !operation.is_read() => {
                body["required_skills"] = json!([SKILL]);
            }
            "/fairness" if !operation.is_read() => body["weights"] = json!({}),
            "/tasks/claim" => body["lease_ms"] = json!(LEASE_MS),
            "/inbox/{agent}" if !operation.is_read() => body["from"] = json!(by.agent_id),
            "/transfer" | "/holds/{id}/post" => body["to_agent"] = json!(self.friend),
            "/intents/{id}/match" => body["with"] = json!(self.counterpart),
            // Whoever has no agent of its own names one.
            "/auth/keys" if !operation.is_read() => body = json!({"agent_id": self.whose(by)}),
            "/cluster/leader/resign" => body["term"] = json!(self.term),
            _ => {}
        }
        body
    }
}
