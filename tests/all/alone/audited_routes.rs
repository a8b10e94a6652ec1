//! Each route of which the audit tells, and that there is no other which changes something.

use std::collections::BTreeSet;
use std::sync::Arc;

use reef_web::trail::{AUDITED, NOT_AUDITED};
use serde_json::{Value, json};

use super::audit::{entries, text, verify};
use crate::contract::access::foreign::Estate;
use crate::contract::{Desk, Subject};
use crate::every_route::document::operations;
use crate::harness::{Client, Hub, unique};

/// A reason as browsers send it, and what it says.
const REASON: (&str, &str) = ("UTF-8''drill%20%E6%A3%80%E4%BF%AE", "drill 检修");

/// The entries of one request.
fn of_request(client: &Client, id: &str) -> Vec<Value> {
    let all = entries(client, "");
    all.into_iter().filter(|entry| entry["request_id"] == id).collect()
}

/// Does what is audited, one thing after the other, and looks for its entry.
struct Story<'a> {
    client: &'a Client,
    steps: usize,
    done: BTreeSet<(&'static str, &'static str)>,
    actions: BTreeSet<String>,
}

impl Story<'_> {
    /// What the admin asks of an audited route; `target` says what the entry names, by the answer.
    #[track_caller]
    fn step(
        &mut self,
        (method, pattern): (&str, &str),
        path: &str,
        body: &Value,
        target: impl FnOnce(&Value) -> String,
    ) -> Value {
        let line = AUDITED.iter().find(|line| line.method == method && line.path == pattern);
        let line = line.unwrap_or_else(|| panic!("{method} {pattern} is not audited"));
        self.steps += 1;
        let id = format!("step-{}", self.steps);
        let client = self.client.with("x-request-id", &id);
        let client = client.with("reef-reason", REASON.0).with("reef-via", "cli");
        let answer = match body {
            Value::Null => client.send(method, path, None),
            body => client.send_json(method, path, body),
        };
        let answer = answer.ok();
        let found = of_request(self.client, &id);
        let [entry] = &found[..] else { panic!("{method} {path}: {found:?}") };
        let action = text(&entry["action"]);
        assert!(line.actions.contains(&action.as_str()), "{entry}");
        let said = [&entry["chain"], &entry["actor"], &entry["via"], &entry["reason"]];
        assert_eq!(said, [line.chain.as_str(), "@admin", "cli", REASON.1], "{entry}");
        assert_eq!(entry["target"], target(&answer), "{entry}");
        assert_eq!(entry.get("key_id"), None, "the hub's own admin key has no id");
        self.done.insert((line.method, line.path));
        self.actions.insert(action);
        answer
    }

    /// The same of a route that answers nothing of which the entry speaks.
    #[track_caller]
    fn plain(&mut self, route: (&str, &str), path: &str, body: &Value, target: &str) -> Value {
        self.step(route, path, body, |_| target.to_owned())
    }
}

fn nodes_and_leader(story: &mut Story<'_>, estate: &Estate) {
    let node = &estate.node;
    let campaign = json!({"node_id": node, "ttl_ms": 600_000});
    let term = estate.alice.client.post("/cluster/leader/campaign", &campaign).ok()["term"].clone();
    let at = |end: &str| format!("/nodes/{node}{end}");
    story.plain(("PATCH", "/api/v1/nodes/{id}"), &at(""), &json!({"status": "maintenance"}), node);
    let resign = json!({"node_id": node, "term": term});
    let route = "/api/v1/cluster/leader/resign";
    story.plain(("POST", route), "/cluster/leader/resign", &resign, node);
    let route = "/api/v1/nodes/{id}/shutdown";
    story.plain(("POST", route), &at("/shutdown"), &json!({}), node);
    story.plain(("DELETE", "/api/v1/nodes/{id}"), &at(""), &Value::Null, node);
}

fn tasks(story: &mut Story<'_>, estate: &Estate, hub: &Hub) {
    let (task, none) = (&estate.task, json!({}));
    let at = |end: &str| format!("/tasks/{task}{end}");
    story.plain(("PATCH", "/api/v1/tasks/{id}"), &at(""), &json!({"priority": 0}), task);
    story.plain(("POST", "/api/v1/tasks/{id}/cancel"), &at("/cancel"), &none, task);
    story.plain(("POST", "/api/v1/tasks/{id}/retry"), &at("/retry"), &none, task);
    estate.alice.client.post_empty(&at("/cancel")).ok();
    story.plain(("DELETE", "/api/v1/tasks/{id}"), &at(""), &Value::Null, task);
    let cleanup = json!({"days": 36_500});
    story.plain(("POST", "/api/v1/tasks/cleanup"), "/tasks/cleanup", &cleanup, "tasks");
    let desk = Desk::new(story.client);
    let dead = desk.submit(json!({"max_retries": 0}));
    let held = desk.claim_one(&desk.node(1));
    let error = json!({"token": held.token, "error": "broken", "retryable": false});
    story.client.post(&format!("/tasks/{dead}/fail"), &error).ok();
    let letters = json!({"task_ids": [dead]});
    let route = "/api/v1/tasks/dead/redrive";
    story.plain(("POST", route), "/tasks/dead/redrive", &letters, "tasks");
    for verb in ["cancel", "retry"] {
        let pattern = format!("/api/v1/groups/{{id}}/{verb}");
        let path = estate.path(&pattern);
        let group = text(&json!(path.split('/').nth(2).unwrap()));
        story.plain(("POST", &pattern), &path, &none, &group);
    }
    let bulk = json!({"action": "remove", "filter": {"labels": {"no": "such"}}, "most": 5, "reason": "because"});
    let started = |answer: &Value| text(&answer["bulk_id"]);
    let answer = story.step(("POST", "/api/v1/bulk"), "/bulk", &bulk, started);
    let id = text(&answer["bulk_id"]);
    // It has nothing to change, and so has ended, unless it is said to go on.
    let mut redis = hub.private_redis();
    let mut goes_on = redis::cmd("HSET");
    goes_on.arg(format!("reef:bulk:{id}")).arg("status").arg("running");
    goes_on.exec(&mut redis).unwrap();
    let route = "/api/v1/bulk/{id}/stop";
    story.plain(("POST", route), &format!("/bulk/{id}/stop"), &none, &id);
    let wait = estate.path("/api/v1/waits/{wid}/answer");
    let target = text(&json!(wait.split('/').nth(2).unwrap()));
    let approve = json!({"decision": "approve"});
    story.plain(("POST", "/api/v1/waits/{wid}/answer"), &wait, &approve, &target);
}

fn settings(story: &mut Story<'_>) {
    let limit = unique("limit");
    let at = format!("/limits/{limit}");
    story.plain(("PUT", "/api/v1/limits/{name}"), &at, &json!({"concurrency": 3}), &limit);
    let shut = json!({"retry_after_ms": 1000});
    let route = "/api/v1/limits/{name}/penalty";
    story.plain(("POST", route), &format!("{at}/penalty"), &shut, &limit);
    story.plain(("DELETE", "/api/v1/limits/{name}"), &at, &Value::Null, &limit);
    for paused in [true, false] {
        let body = json!({"paused": paused});
        story.plain(("PUT", "/api/v1/queue"), "/queue", &body, "queue");
    }
    let weights = json!({"weights": {"a \"b\"": 2}});
    story.plain(("PUT", "/api/v1/fairness"), "/fairness", &weights, "fairness");
    let model = unique("model");
    let (at, price) = (format!("/prices/{model}"), json!({"input": "1", "output": "2"}));
    story.plain(("PUT", "/api/v1/prices/{model}"), &at, &price, &model);
    story.plain(("DELETE", "/api/v1/prices/{model}"), &at, &Value::Null, &model);
    let user = unique("user");
    let at = format!("/budgets/user/{user}");
    let (name, route) = (format!("@admin/user/{user}"), "/api/v1/budgets/{scope}/{id}");
    story.plain(("PUT", route), &at, &json!({"cost": "1"}), &name);
    story.plain(("DELETE", route), &at, &Value::Null, &name);
}

fn schedules(story: &mut Story<'_>) {
    let schedule = unique("schedule");
    let at = |end: &str| format!("/schedules/{schedule}{end}");
    let body = json!({"spec": {"cron": "@yearly"}, "overlap": "allow", "paused": true, "task": {
        "name": "greetings", "required_skills": [unique("nobody")],
    }});
    story.plain(("PUT", "/api/v1/schedules/{id}"), &at(""), &body, &schedule);
    for (verb, body) in [
        ("resume", json!({})),
        ("pause", json!({"note": "for now"})),
        ("trigger", json!({})),
        ("backfill", json!({"from": "2025-12-31T00:00:00Z", "to": "2026-01-02T00:00:00Z"})),
    ] {
        let pattern = format!("/api/v1/schedules/{{id}}/{verb}");
        story.plain(("POST", &pattern), &at(&format!("/{verb}")), &body, &schedule);
    }
    story.plain(("DELETE", "/api/v1/schedules/{id}"), &at(""), &Value::Null, &schedule);
}

fn agents_and_keys(story: &mut Story<'_>, estate: &Estate) {
    let wish = json!({"agent_id": unique("bob")});
    let made = |answer: &Value| text(&answer["agent"]["agent_id"]);
    let route = "/api/v1/agents/register";
    let bob = made(&story.step(("POST", route), "/agents/register", &wish, made));
    let at = format!("/agents/{bob}");
    for status in ["suspended", "active"] {
        let body = json!({"status": status});
        story.plain(("PATCH", "/api/v1/agents/{id}"), &at, &body, &bob);
    }
    let key_of = |answer: &Value| text(&answer["key_info"]["key_id"]);
    let body = json!({"agent_id": bob, "name": "second"});
    let key = key_of(&story.step(("POST", "/api/v1/auth/keys"), "/auth/keys", &body, key_of));
    let route = "/api/v1/auth/keys/{key_id}/rotate";
    let rotated =
        story.plain(("POST", route), &format!("/auth/keys/{key}/rotate"), &json!({}), &key);
    let (key, route) = (key_of(&rotated), "/api/v1/auth/keys/{key_id}");
    story.plain(("DELETE", route), &format!("/auth/keys/{key}"), &Value::Null, &key);
    story.plain(("DELETE", "/api/v1/agents/{id}"), &at, &Value::Null, &bob);
    let invited = |answer: &Value| text(&answer["invite_info"]["invite_id"]);
    let made = story.step(("POST", "/api/v1/invites"), "/invites", &json!({}), invited);
    let (id, route) = (invited(&made), "/api/v1/invites/{id}");
    story.plain(("DELETE", route), &format!("/invites/{id}"), &Value::Null, &id);
    let _ = estate;
}

fn money(story: &mut Story<'_>, estate: &Estate) {
    let alice = &estate.alice.id;
    let body = json!({"agent_id": alice, "amount": "5"});
    story.plain(("POST", "/api/v1/deposit"), "/deposit", &body, alice);
    story.plain(("POST", "/api/v1/withdraw"), "/withdraw", &body, alice);
    let other = story.client.new_agent();
    let pay = json!({"from_agent": alice, "to_agent": other.id, "amount": "1"});
    story.plain(("POST", "/api/v1/transfer"), "/transfer", &pay, alice);
    let mut hold = || {
        let id = |answer: &Value| text(&answer["hold"]["hold_id"]);
        id(&story.step(("POST", "/api/v1/holds"), "/holds", &body, id))
    };
    let (posted, voided) = (hold(), hold());
    let wish = json!({"agent_id": alice, "intent_type": "long", "asset": "BTC", "size": "10"});
    let id = |answer: &Value| text(&answer["intent"]["intent_id"]);
    story.step(("POST", "/api/v1/intents"), "/intents", &wish, id);
    let route = "/api/v1/holds/{id}/post";
    let to = json!({"to_agent": other.id});
    story.plain(("POST", route), &format!("/holds/{posted}/post"), &to, &posted);
    let route = "/api/v1/holds/{id}/void";
    story.plain(("POST", route), &format!("/holds/{voided}/void"), &json!({}), &voided);
    let route = "/api/v1/intents/{id}";
    story.plain(("DELETE", route), &estate.path(route), &Value::Null, &estate.intent);
    let route = "/api/v1/positions/{id}/close";
    let path = estate.path(route);
    let position = path.split('/').nth(2).unwrap().to_owned();
    story.plain(("POST", route), &path, &json!({"price": "2000"}), &position);
}

#[test]
fn each_audited_route_has_its_entry_which_says_who_what_on_what_and_why() {
    let own = Arc::new(Hub::start());
    let subject = Subject::shared(&own);
    let estate = Estate::of(&subject);
    let client = subject.client.clone();
    let mut story =
        Story { client: &client, steps: 0, done: BTreeSet::new(), actions: BTreeSet::new() };
    tasks(&mut story, &estate, &own);
    settings(&mut story);
    schedules(&mut story);
    agents_and_keys(&mut story, &estate);
    money(&mut story, &estate);
    nodes_and_leader(&mut story, &estate);
    let all: BTreeSet<_> = AUDITED.iter().map(|line| (line.method, line.path)).collect();
    let missing: Vec<_> = all.difference(&story.done).collect();
    assert!(missing.is_empty(), "say here what is done on {missing:?}");
    let actions = AUDITED.iter().flat_map(|line| line.actions);
    let actions: BTreeSet<_> = actions.map(|action| (*action).to_owned()).collect();
    assert_eq!(story.actions, actions);
    // What they say of before and after.
    let entry = |action: &str| entries(&client, &format!("action={action}")).remove(0);
    let facts = |action: &str| {
        let entry = entry(action);
        (entry["before"].clone(), entry["after"].clone())
    };
    let status = |status: &str| json!({"status": status});
    assert_eq!(facts("node.change"), (status("online"), status("maintenance")));
    assert_eq!(facts("agent.suspend"), (status("active"), status("suspended")));
    assert_eq!(facts("fairness.set"), (json!({}), json!({"a \"b\"": 2})));
    assert_eq!(facts("queue.resume"), (json!({"paused": "*"}), json!({})));
    let set = json!({"concurrency": 3, "rates": [], "paused": false, "per_owner": false});
    assert_eq!(facts("limit.set").1, set);
    assert_eq!(facts("limit.remove"), (set, Value::Null));
    assert_eq!(facts("money.withdraw").1["amount"], "5");
    // No key is in it, only its id.
    let whole = client.get("/audit?limit=1000").text();
    assert!(!whole.contains("reef_") || !whole.contains(&own.admin_key()), "{whole}");
    let [cluster, ledger] = verify(&client);
    assert_eq!((cluster, ledger), (33, 23));
}

#[test]
fn every_route_that_changes_something_is_audited_or_says_why_not() {
    let mut forgotten = Vec::new();
    for operation in operations().into_iter().filter(|operation| !operation.is_read()) {
        let is_told = AUDITED
            .iter()
            .map(|line| (line.method, line.path))
            .chain(NOT_AUDITED.iter().map(|(method, path, _)| (*method, *path)))
            .any(|(method, path)| method == operation.method && path == operation.path);
        if !is_told {
            forgotten.push(operation.name());
        }
    }
    assert!(forgotten.is_empty(), "crates/web/src/trail.rs says nothing of {forgotten:?}");
    for line in AUDITED {
        let known =
            operations().into_iter().any(|it| it.method == line.method && it.path == line.path);
        assert!(known, "{} {} is no route", line.method, line.path);
    }
}
