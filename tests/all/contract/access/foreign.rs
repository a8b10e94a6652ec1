//! What one agent may do to what belongs to another: for each route, one request of a stranger.

use serde_json::{Value, json};

use super::table::routes;
use crate::contract::agents::{Agent, new_agent};
use crate::contract::{Desk, Subject, hub};
use crate::harness::unique;

/// What a stranger meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// It sees or does what everybody may.
    Welcome,
    /// It is told that it may not.
    Forbidden,
    /// It is told that there is nothing.
    Nothing,
    /// It is told that this is the admin's.
    AdminOnly,
}
use Meets::{AdminOnly, Forbidden, Nothing, Welcome};

/// Longer than any test takes that has it, so that no claim ends by itself.
pub const LEASE_MS: i64 = 600_000;

/// What Alice owns.
pub struct Estate {
    pub alice: Agent,
    pub node: String,
    hostname: String,
    pub session: String,
    pub message: String,
    pub content: String,
    pub task: String,
    pub held: String,
    wait: String,
    group: String,
    bulk: String,
    schedule: String,
    limit: String,
    /// One that she holds, and under which term.
    pub lock: String,
    pub lock_term: i64,
    token: String,
    pub key: String,
    pub hold: String,
    pub intent: String,
    position: String,
    /// What her tasks ask for, and her node can do.
    pub skill: String,
}

impl Estate {
    pub fn of(hub: &Subject) -> Self {
        let alice = new_agent(hub);
        let client = &alice.client;
        let desk = Desk::new(client);
        let hostname = unique("alices-host");
        let node = desk.node_with(json!({"hostname": hostname}));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let session = text(&client.post_empty("/sessions").ok()["session_id"]);
        let sent = client.post(&format!("/sessions/{session}/messages"), &json!({"content": "x"}));
        let message = text(&sent.ok()["assistant_message_id"]);
        let block = json!({"content_type": "text", "text": {"text": "mine"}});
        let block = client.post(&format!("/messages/{message}/content"), &block).ok();
        client
            .post(
                &format!("/messages/{message}/tasks"),
                &json!({
                    "task_type": "step", "task_id": "step-1",
                }),
            )
            .ok();
        let mail = json!({"from": alice.id, "content": "for Alice"});
        client.post(&format!("/inbox/{}", alice.id), &mail).ok();
        let limit = unique("limit");
        hub.client.send_json("PUT", &format!("/limits/{limit}"), &json!({})).ok();
        hub.client.put("/prices/model-of-alice", &json!({"input": "1", "output": "2"})).ok();
        let held = desk.submit(json!({"limits": [{"name": limit}]}));
        let claim = desk.claim_for(&node, LEASE_MS);
        assert_eq!(claim.id, held);
        let task = desk.submit(json!({"delay_ms": 3_600_000}));
        let asked = desk.submit_with(json!({"approval": {"question": "?"}}));
        let wait = text(&asked["wait_id"]);
        let batch = json!({"tasks": [{"name": "one", "required_skills": [unique("nobody")]}],
            "group": {}});
        let group = text(&client.post("/tasks/batch", &batch).ok()["group_id"]);
        let bulk = json!({"action": "remove", "filter": {}, "dry_run": true});
        let bulk = text(&client.post("/bulk", &bulk).ok()["bulk_id"]);
        let schedule = unique("schedule");
        client.put(&format!("/schedules/{schedule}"), &yearly()).ok();
        client.put(&format!("/budgets/group/{group}"), &json!({"cost": "100"})).ok();
        let lock = unique("lock");
        let taken = json!({"holder": "alice", "ttl_ms": LEASE_MS});
        let taken = client.post(&format!("/locks/{lock}/acquire"), &taken).ok();
        let lock_term = taken["lock"]["term"].as_i64().unwrap();
        let key = client.post("/auth/keys", &json!({"name": "second"})).ok();
        let key = text(&key["key_info"]["key_id"]);
        let content = text(&block["content_id"]);
        let token = claim.token;
        let [hold, intent, position] = money_of(hub, &alice);
        Self {
            alice,
            node,
            hostname,
            session,
            message,
            content,
            task,
            held,
            wait,
            group,
            bulk,
            schedule,
            limit,
            lock,
            lock_term,
            token,
            key,
            hold,
            intent,
            position,
            skill: desk.skill,
        }
    }

    /// Lets her node hold another task than the one that it held.
    pub fn hold_another(&mut self) {
        let desk = Desk { client: self.alice.client.clone(), skill: self.skill.clone() };
        self.held = desk.submit(json!({"limits": [{"name": self.limit}]}));
        let claim = desk.claim_for(&self.node, LEASE_MS);
        assert_eq!(claim.id, self.held);
        self.token = claim.token;
    }

    /// The path of a route to what Alice owns.
    pub fn path(&self, pattern: &str) -> String {
        let (method_of_task, id) = (pattern.contains("/tasks/{id}"), pattern.contains("/{id}"));
        // What needs a claim goes to the task that is held.
        let needs_claim = ["/progress", "/complete", "/fail", "/wait", "/signals/take", "/log"]
            .iter()
            .any(|end| pattern.ends_with(end));
        let id = match (method_of_task, id) {
            (false, _) if pattern.contains("/groups/") => &self.group,
            (false, _) if pattern.contains("/budgets/") => &self.group,
            (false, _) if pattern.contains("/bulk/") => &self.bulk,
            (false, _) if pattern.contains("/schedules/") => &self.schedule,
            (false, _) if pattern.contains("/holds/") => &self.hold,
            (false, _) if pattern.contains("/intents/") => &self.intent,
            (false, _) if pattern == "/api/v1/positions/{id}" => &self.alice.id,
            (false, _) if pattern.contains("/positions/") => &self.position,
            (true, _) if needs_claim => &self.held,
            (true, _) => &self.task,
            (false, _) if pattern.contains("/agents/") => &self.alice.id,
            (false, _) => &self.node,
        };
        let path = pattern.strip_prefix("/api/v1").map_or(format!("/{pattern}"), str::to_owned);
        // Each has budgets of its own for groups of any name.
        let whose = if pattern.contains("/budgets/{scope}") { self.whose() } else { String::new() };
        (path + &whose)
            .replace("{id}", id)
            .replace("{scope}", "group")
            .replace("{model}", "model-of-alice")
            .replace("{sid}", &self.session)
            .replace("{mid}", &self.message)
            .replace("{cid}", &self.content)
            .replace("{wid}", &self.wait)
            .replace("{name}", if pattern.contains("/locks/") { &self.lock } else { &self.limit })
            .replace("{tid}", "step-1")
            .replace("{agent}", &self.alice.id)
            .replace("{key_id}", &self.key)
            .replace("{msg_id}", "msg_1")
            .replace("{skill}", "any")
    }

    fn whose(&self) -> String {
        format!("?owner={}", self.alice.id)
    }

    /// What a stranger meets on a route, and the body that it sends.
    pub fn request(&self, method: &str, pattern: &str) -> (Meets, Value) {
        let route = pattern.strip_prefix("/api/v1").unwrap_or(pattern);
        let token = json!({"token": self.token});
        let (node_id, from) = (&self.node, &self.alice.id);
        match (method, route) {
            ("GET", "/sessions/{sid}" | "/sessions/{sid}/messages")
            | (
                "GET",
                "/messages/{mid}" | "/messages/{mid}/content/{cid}" | "/messages/{mid}/events",
            )
            | (
                "GET",
                "/tasks/{id}"
                | "/tasks/{id}/why"
                | "/tasks/{id}/attempts"
                | "/tasks/{id}/log"
                | "/waits/{wid}",
            )
            | ("GET", "/groups/{id}" | "/groups/{id}/tasks" | "/bulk/{id}" | "/schedules/{id}")
            | ("GET", "/budgets/{scope}/{id}")
            | ("GET", "/inbox/{agent}" | "/inbox/{agent}/dead") => (Nothing, Value::Null),
            ("PUT", "/budgets/{scope}/{id}") => (Forbidden, json!({"cost": "1", "owner": from})),
            ("DELETE", "/budgets/{scope}/{id}") => (Forbidden, Value::Null),
            ("PUT", "/prices/{model}") => (AdminOnly, json!({"input": "1", "output": "2"})),
            ("DELETE", "/prices/{model}") => (AdminOnly, Value::Null),
            // Load or create: what is there is read.
            ("PUT", "/sessions/{sid}/messages/{mid}") => (Nothing, json!({"role": "user"})),
            ("DELETE" | "POST", "/auth/keys/{key_id}" | "/auth/keys/{key_id}/rotate") => {
                (Nothing, Value::Null)
            }
            ("DELETE", "/sessions/{sid}/messages") | ("POST", "/tasks/cleanup") => {
                (AdminOnly, json!({"days": 30}))
            }
            ("POST", "/nodes/register") => (Forbidden, {
                let mut body = crate::harness::registration(&self.hostname);
                body["available_skills"] = json!(["stolen"]);
                body
            }),
            ("PATCH", "/nodes/{id}") => (Forbidden, json!({"tags": ["stolen"]})),
            ("DELETE", "/nodes/{id}" | "/sessions/{sid}" | "/tasks/{id}") => {
                (Forbidden, Value::Null)
            }
            ("POST", "/nodes/{id}/shutdown" | "/nodes/{id}/heartbeat") => (Forbidden, json!({})),
            ("POST", "/cluster/leader/campaign") => (Forbidden, json!({"node_id": node_id})),
            ("POST", "/cluster/leader/resign") => {
                (Forbidden, json!({"node_id": node_id, "term": 1}))
            }
            ("POST", "/sessions/{sid}/messages") => (Forbidden, json!({"content": "x"})),
            ("POST", "/sessions/{sid}/tasks") => (Forbidden, json!({"task_description": "x"})),
            ("POST", "/messages/{mid}/append") => (Forbidden, json!({"delta": "x"})),
            ("POST", "/messages/{mid}/content") => {
                (Forbidden, json!({"content_type": "text", "text": {"text": "x"}}))
            }
            ("POST", "/messages/{mid}/tasks") => (Forbidden, json!({"task_type": "step"})),
            ("PATCH", "/messages/{mid}/tasks/{tid}") => {
                (Forbidden, json!({"status": "processing"}))
            }
            ("POST", "/messages/{mid}/complete") => (Forbidden, json!({})),
            // Anybody may write to Alice, and nobody as Alice.
            ("POST", "/inbox/{agent}") => (Forbidden, json!({"from": from, "content": "hello"})),
            ("POST", "/inbox/{agent}/receive" | "/inbox/{agent}/dead/redrive") => {
                (Forbidden, json!({}))
            }
            ("POST", "/inbox/{agent}/proposals/{msg_id}/accept") => (Forbidden, json!({})),
            ("POST", "/inbox/{agent}/ack") => (Forbidden, json!({"receipts": ["x.1"]})),
            ("POST", "/tasks/claim") => (Forbidden, json!({"node_id": node_id})),
            ("POST", "/tasks/{id}/progress" | "/tasks/{id}/complete" | "/tasks/{id}/fail")
            | ("POST", "/tasks/{id}/signals/take") => (Forbidden, token),
            ("POST", "/tasks/{id}/log") => {
                (Forbidden, json!({"token": self.token, "lines": [{"text": "not mine"}]}))
            }
            ("PUT", "/schedules/{id}") => (Forbidden, yearly()),
            ("POST", "/schedules/{id}/backfill") => (Forbidden, {
                json!({"from": "2025-12-31T00:00:00Z", "to": "2026-01-02T00:00:00Z"})
            }),
            ("DELETE" | "POST", route) if route.starts_with("/schedules/{id}") => {
                (Forbidden, json!({}))
            }
            ("POST", "/limits/{name}/penalty") => (Forbidden, {
                json!({"task_id": self.held, "token": self.token, "retry_after_ms": 1})
            }),
            ("PUT" | "DELETE", "/limits/{name}") | ("PUT", "/queue" | "/fairness") => {
                (AdminOnly, json!({}))
            }
            ("POST", "/locks/{name}/renew" | "/locks/{name}/release") => {
                (Forbidden, json!({"holder": "alice", "term": self.lock_term, "ttl_ms": LEASE_MS}))
            }
            // It is heard, and somebody else holds it.
            ("POST", "/locks/{name}/acquire") => (Welcome, json!({"holder": "thief"})),
            ("POST", "/tasks/{id}/wait") => {
                (Forbidden, json!({"token": self.token, "kind": "sleep", "for_ms": 1}))
            }
            ("POST", "/groups/{id}/cancel" | "/groups/{id}/retry" | "/bulk/{id}/stop") => {
                (Forbidden, json!({}))
            }
            ("PATCH", "/tasks/{id}") => (Forbidden, json!({"priority": 0})),
            ("POST", "/tasks/{id}/signal") => (Forbidden, json!({"name": "x"})),
            // A first key lacks the scope.
            ("POST", "/waits/{wid}/answer") => (Forbidden, json!({"decision": "approve"})),
            ("POST", "/tasks/{id}/cancel" | "/tasks/{id}/retry") => (Forbidden, json!({})),
            // Of money nobody is told that it is not there.
            ("GET", "/balance/{agent}" | "/holds/{id}" | "/intents/{id}" | "/positions/{id}")
            | ("DELETE", "/intents/{id}")
            | ("POST", "/holds/{id}/void" | "/positions/{id}/close") => (Forbidden, Value::Null),
            ("POST", "/deposit" | "/withdraw" | "/holds") => {
                (Forbidden, json!({"agent_id": from, "amount": "1"}))
            }
            ("POST", "/transfer") => {
                (Forbidden, json!({"from_agent": from, "to_agent": "thief", "amount": "1"}))
            }
            ("POST", "/holds/{id}/post") => (Forbidden, json!({"to_agent": "thief"})),
            ("POST", "/intents") => (
                Forbidden,
                json!({
                    "agent_id": from, "intent_type": "long", "asset": "ETH-PERP", "size": "1",
                }),
            ),
            ("POST", "/intents/{id}/match" | "/positions/{id}/mark") => {
                (AdminOnly, json!({"with": self.intent, "price": "1"}))
            }
            (
                "GET",
                "/entries/seals" | "/entries/audit" | "/entries/index" | "/audit" | "/audit/seals",
            ) => (AdminOnly, Value::Null),
            ("GET", "/holds" | "/intents" | "/entries") => (Welcome, Value::Null),
            // To what is everybody's, or the caller's own.
            ("POST", "/heartbeats") => (Welcome, json!([])),
            ("POST", "/tasks") => {
                (Welcome, json!({"name": "own", "required_skills": [unique("nobody")]}))
            }
            ("POST", "/tasks/batch") => (Welcome, {
                json!({"tasks": [{"name": "own", "required_skills": [unique("nobody")]}]})
            }),
            ("POST", "/bulk") => {
                (Welcome, json!({"action": "remove", "filter": {}, "dry_run": true}))
            }
            ("POST", "/tasks/dead/redrive") => {
                (Welcome, json!({"task_ids": ["some-task"], "dry_run": true}))
            }
            ("POST", "/sessions" | "/cluster/check-heartbeat" | "/auth/keys") => {
                (Welcome, json!({}))
            }
            ("POST", "/agents/register") => (AdminOnly, json!({"agent_id": unique("agent")})),
            ("PATCH", "/agents/{id}") => (AdminOnly, json!({"status": "suspended"})),
            ("DELETE", "/agents/{id}" | "/invites/{id}") | ("GET", "/invites") => {
                (AdminOnly, Value::Null)
            }
            ("POST", "/invites") => (AdminOnly, json!({})),
            ("GET", "/nodes" | "/nodes/online" | "/nodes/available" | "/nodes/skills/{skill}")
            | ("GET", "/nodes/{id}" | "/nodes/{id}/health" | "/health" | "/readyz")
            | ("GET", "/cluster/health" | "/cluster/state" | "/cluster/events")
            | (
                "GET",
                "/cluster/durability"
                | "/cluster/monitor"
                | "/inboxes"
                | "/locks"
                | "/locks/{name}",
            )
            | ("GET", "/cluster/leader" | "/cluster/leader/history")
            | ("GET", "/sessions" | "/tasks" | "/tasks/pending" | "/tasks/stats" | "/tasks/dead")
            | ("GET", "/usage" | "/prices" | "/budgets" | "/history")
            | (
                "GET",
                "/waits" | "/schedules" | "/limits" | "/limits/{name}" | "/queue" | "/fairness",
            )
            | ("GET", "/agents" | "/agents/{id}" | "/auth/keys" | "/auth/me") => {
                (Welcome, Value::Null)
            }
            _ => panic!("{method} {route}: say here what another's key meets on it"),
        }
    }
}

/// A schedule of which no run comes due in the tests.
fn yearly() -> Value {
    json!({"spec": {"cron": "@yearly"}, "overlap": "allow", "paused": true, "task": {
        "name": "greetings", "required_skills": [unique("nobody")],
    }})
}

/// A hold, an open intent and an open position of an agent.
fn money_of(hub: &Subject, agent: &Agent) -> [String; 3] {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let open = |agent: &Agent, kind: &str| {
        let id = &agent.id;
        agent.client.post("/deposit", &json!({"agent_id": id, "amount": "100"})).ok();
        let body = json!({
            "agent_id": id, "intent_type": kind, "asset": "ETH-PERP", "size": "10",
        });
        text(&agent.client.post("/intents", &body).ok()["intent"]["intent_id"])
    };
    let hold = json!({"agent_id": agent.id, "amount": "5"});
    let (long, short) = (open(agent, "long"), open(&new_agent(hub), "short"));
    let body = json!({"with": short, "price": "2000"});
    let matched = hub.client.post(&format!("/intents/{long}/match"), &body).ok();
    let position = text(&matched["positions"][0]["position_id"]);
    let hold = text(&agent.client.post("/holds", &hold).ok()["hold"]["hold_id"]);
    [hold, open(agent, "long"), position]
}

/// A hub where things have owners; nothing where they have none.
fn owning_hub() -> Option<Subject> {
    let hub = hub();
    hub.wants_keys.then_some(hub)
}

#[test]
fn what_belongs_to_another_is_forbidden_or_not_there() {
    let Some(hub) = owning_hub() else { return };
    let (estate, bob) = (Estate::of(&hub), new_agent(&hub).client);
    for route in routes() {
        let (meets, body) = estate.request(route.method, route.pattern);
        let path = estate.path(route.pattern);
        let answer = match &body {
            Value::Null => bob.send(route.method, &path, None),
            body => bob.send_json(route.method, &path, body),
        };
        match meets {
            Welcome => assert_eq!(answer.status, 200, "{answer}"),
            Forbidden | AdminOnly => drop(answer.problem(403, "forbidden")),
            Nothing => drop(answer.problem(404, "not_found")),
        }
    }
    // Nothing of that had an effect.
    let alice = &estate.alice.client;
    let node = alice.get(&format!("/nodes/{}", estate.node)).ok();
    assert_eq!((&node["status"], &node["tags"]), (&json!("online"), &json!([])));
    assert_eq!(alice.get(&format!("/sessions/{}", estate.session)).ok()["status"], "active");
    let message = alice.get(&format!("/messages/{}", estate.message)).ok();
    assert_eq!((&message["text"], &message["is_complete"]), (&json!(""), &json!(false)));
    assert_eq!(alice.get(&format!("/tasks/{}", estate.task)).ok()["status"], "scheduled");
    let balance = alice.get(&format!("/balance/{}", estate.alice.id)).ok();
    assert_eq!((&balance["balance"], &balance["locked"]), (&json!("200"), &json!("25")));
    let lock = alice.get(&format!("/locks/{}", estate.lock)).ok();
    assert_eq!((&lock["holder"], &lock["term"]), (&json!("alice"), &json!(estate.lock_term)));
    let path = format!("/tasks/{}/complete", estate.held);
    alice.post(&path, &json!({"token": estate.token})).ok();
}

#[test]
fn the_admin_may_all_of_that() {
    let Some(hub) = owning_hub() else { return };
    let estate = Estate::of(&hub);
    for route in routes() {
        let (meets, body) = estate.request(route.method, route.pattern);
        if route.method != "GET" || meets == Welcome {
            continue;
        }
        assert_eq!(body, Value::Null);
        let mut path = estate.path(route.pattern);
        if route.pattern.ends_with("/entries/index") {
            path += &format!("?agent_id={}", estate.alice.id);
        }
        if route.pattern.ends_with("/audit/seals") {
            path += "?chain=ledger";
        }
        hub.client.get(&path).ok();
    }
    // What the admin says in a session belongs to the session's owner.
    let path = format!("/sessions/{}/messages", estate.session);
    let sent = hub.client.post(&path, &json!({"content": "from the operator"})).ok();
    let message = format!("/messages/{}", sent["user_message_id"].as_str().unwrap());
    estate.alice.client.get(&message).ok();
}

#[test]
fn lists_show_a_caller_its_own() {
    let Some(hub) = owning_hub() else { return };
    let (estate, bob) = (Estate::of(&hub), new_agent(&hub).client);
    let own = bob.post_empty("/sessions").ok()["session_id"].clone();
    let sessions = bob.get("/sessions?limit=1000").list();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["session_id"], own);
    for list in ["/tasks?limit=1000", "/tasks/pending?limit=1000"] {
        assert_eq!(bob.get(list).list(), Vec::<Value>::new(), "{list}");
    }
    let body = json!({"session_id": estate.session});
    bob.post("/sessions", &body).problem(403, "forbidden");
    let mine = estate.alice.client.get("/tasks?limit=1000").list();
    assert_eq!(mine.len(), 4, "{mine:?}");
}
