//! Limits, and what is paused (contract.md §5).

use std::time::Duration;

use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::{Desk, Held, id_of, ids_of};
use crate::contract::{caller, hub};
use crate::harness::{Client, Hub, eventually, unique};

/// A limit of the test's own.
struct Limited {
    admin: Client,
    name: String,
}

impl Limited {
    #[track_caller]
    fn new(admin: &Client, rules: Value) -> Self {
        let limit = Self { admin: admin.clone(), name: unique("limit") };
        limit.set(rules);
        limit
    }

    #[track_caller]
    fn set(&self, rules: Value) -> Value {
        self.admin.put(&format!("/limits/{}", self.name), &rules).ok()
    }

    #[track_caller]
    fn show(&self, key: &str) -> Value {
        self.admin.get(&format!("/limits/{}?key={key}", self.name)).ok()
    }

    fn under(&self) -> Value {
        json!({"limits": [{"name": self.name}]})
    }

    fn keyed(&self, key: &str) -> Value {
        json!({"limits": [{"name": self.name, "key": key}]})
    }
}

fn complete(desk: &Desk, held: &Held) {
    desk.post(held, "complete", json!({"result": null})).ok();
}

fn why(desk: &Desk, id: &str) -> Value {
    desk.client.get(&format!("/tasks/{id}/why")).ok()
}

#[test]
fn no_more_run_at_once_than_may_and_each_end_lets_one_begin() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let limit = Limited::new(&client, json!({"concurrency": 2, "note": "two seats"}));
    let node = desk.node(10);
    let all: Vec<String> = (0..5).map(|_| desk.submit(limit.under())).collect();
    let free = desk.submit(json!({"priority": 3}));
    let mut running = desk.claim(&node);
    assert_eq!(ids_of(&running), [&all[0], &all[1], &free]);
    complete(&desk, &running.pop().unwrap());
    assert!(desk.claim(&node).is_empty());
    let shown = limit.show("");
    assert_eq!((&shown["held"], &shown["shut_by"]), (&json!(2), &json!("concurrency")), "{shown}");
    assert_eq!((&shown["note"], &shown["opens_at"]), (&json!("two seats"), &Value::Null));
    let told = why(&desk, &all[2]);
    assert_eq!(told["reason"], "limited", "{told}");
    assert!(told["message"].as_str().unwrap().contains(&limit.name), "{told}");
    for expected in &all[2..] {
        complete(&desk, &running.remove(0));
        let more = desk.claim(&node);
        assert_eq!(ids_of(&more), [expected]);
        running.extend(more);
    }
    // Every way in which a task stops running gives its place back.
    desk.client.post(&format!("/tasks/{}/cancel", running[0].id), &json!({})).ok();
    desk.post(&running[1], "fail", json!({"error": "broken", "retryable": false})).ok();
    assert_eq!(limit.show("")["held"], 0);
}

#[test]
fn a_node_that_goes_away_and_a_task_that_waits_give_their_places_back() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let limit = Limited::new(&client, json!({"concurrency": 1}));
    let (first, second) = (desk.node(1), desk.node(1));
    let task = desk.submit(limit.under());
    assert_eq!(desk.claim_one(&first).id, task);
    client.post(&format!("/nodes/{first}/shutdown"), &json!({})).ok();
    let held = desk.claim_one(&second);
    assert_eq!(held.id, task);
    let next = desk.submit(limit.under());
    let third = desk.node(1);
    assert!(desk.claim(&third).is_empty());
    let wait = json!({"kind": "signal", "name": "go"});
    desk.post(&held, "wait", wait).ok();
    let held = desk.claim_one(&third);
    assert_eq!(held.id, next);
    // Back in the queue it counts like any other.
    client.post(&format!("/tasks/{task}/signal"), &json!({"name": "go"})).ok();
    assert!(desk.claim(&second).is_empty());
    complete(&desk, &held);
    assert_eq!(desk.claim_one(&second).id, task);
}

#[test]
fn each_key_is_counted_by_itself() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let limit = Limited::new(&client, json!({"concurrency": 1}));
    let node = desk.node(10);
    let of = |key: &str| desk.submit(limit.keyed(key));
    let (ann, bob) = ([of("ann"), of("ann")], [of("bob"), of("bob/x y")]);
    let running = desk.claim(&node);
    assert_eq!(ids_of(&running), [&ann[0], &bob[0], &bob[1]]);
    assert_eq!((&limit.show("ann")["held"], &limit.show("")["held"]), (&json!(1), &json!(0)));
    assert_eq!(desk.task(&ann[1])["limits"][0]["key"], "ann");
    complete(&desk, &running[0]);
    assert_eq!(ids_of(&desk.claim(&node)), [&ann[1]]);
}

#[test]
fn whoever_has_limits_of_its_own_is_kept_back_by_nobody_else() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let limit = Limited::new(&hub.client, json!({"concurrency": 1, "per_owner": true}));
    let desk = Desk::new(&alice.client);
    let bobs = Desk { client: bob.client.clone(), skill: desk.skill.clone() };
    let (node, bobs_node) = (desk.node(5), bobs.node(5));
    let owner = json!({"audience": "owner", "limits": [{"name": limit.name, "key": "k"}]});
    let mine = [desk.submit(owner.clone()), desk.submit(owner.clone())];
    let his = bobs.submit(owner);
    assert_eq!(ids_of(&desk.claim(&node)), [&mine[0]]);
    assert_eq!(ids_of(&bobs.claim(&bobs_node)), [&his]);
    // Only an admin sets limits, and nobody sees how a stranger's stands.
    let path = format!("/limits/{}", limit.name);
    alice.client.put(&path, &json!({"concurrency": 9})).problem(403, "forbidden");
    alice.client.delete(&path).problem(403, "forbidden");
    let own = alice.client.get(&format!("{path}?key=k")).ok();
    assert_eq!((&own["held"], &own["shut_by"]), (&json!(1), &json!("concurrency")));
    alice.client.get(&format!("{path}?owner={}", bob.id)).problem(403, "forbidden");
    let seen = hub.client.get(&format!("{path}?owner={}&key=k", bob.id)).ok();
    assert_eq!(seen["held"], 1);
}

#[test]
fn a_rate_lets_so_many_begin_and_then_one_at_a_time() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let limit = Limited::new(&client, json!({"rates": [{"count": 3, "per_ms": 3_600_000}]}));
    let node = desk.node(10);
    let all: Vec<String> = (0..4).map(|_| desk.submit(limit.under())).collect();
    let running = desk.claim(&node);
    assert_eq!(ids_of(&running), [&all[0], &all[1], &all[2]]);
    running.iter().for_each(|held| complete(&desk, held));
    assert!(desk.claim(&node).is_empty());
    let shown = limit.show("");
    assert_eq!((&shown["shut_by"], &shown["parked_classes"]), (&json!("rate"), &json!(1)));
    assert_eq!(why(&desk, &all[3])["due_at"], shown["opens_at"]);
    // A faster pace is kept from the next claim on: of the old one nothing is left.
    limit.set(json!({"rates": [{"count": 1, "per_ms": 50}]}));
    assert_eq!(ids_of(&desk.claim(&node)), [&all[3]]);
    desk.submit(limit.under());
    let patience = Duration::from_secs(10);
    eventually("the pace lets one begin", patience, || desk.claim(&node).pop());
}

#[test]
fn tokens_are_counted_by_what_tasks_say_and_one_that_wants_more_than_all_still_begins() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let tokens = json!({"count": 1000, "per_ms": 3_600_000, "unit": "tokens"});
    let limit = Limited::new(&client, json!({"rates": [tokens]}));
    let node = desk.node(10);
    let of = |tokens: i64| desk.submit(json!({"limits": [{"name": limit.name, "tokens": tokens}]}));
    let all = [of(600), of(500), of(0), of(5000)];
    // What wants none is never kept back; what wants more than is left is.
    assert_eq!(ids_of(&desk.claim(&node)), [&all[0], &all[2]]);
    client.delete(&format!("/limits/{}", limit.name)).ok();
    let more = desk.claim(&node);
    assert_eq!(ids_of(&more), [&all[1], &all[3]]);
    let limit = Limited::new(&client, json!({"rates": [{"count": 10, "per_ms": 60_000}]}));
    let large = desk.submit(json!({"limits": [{"name": limit.name, "cost": 10_000}]}));
    assert_eq!(ids_of(&desk.claim(&node)), [&large]);
}

#[test]
fn a_provider_that_refuses_shuts_the_gate_for_all() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let limit = Limited::new(&hub.client, json!({"concurrency": 5}));
    let node = desk.node(10);
    let first = desk.submit(limit.keyed("plan"));
    let held = desk.claim_one(&node);
    assert_eq!(held.id, first);
    let path = format!("/limits/{}/penalty", limit.name);
    let body = json!({"retry_after_ms": 3_600_000, "task_id": held.id, "token": held.token});
    let stale = json!({"retry_after_ms": 1000, "task_id": held.id, "token": "1-stale"});
    hub.client.post(&path, &stale).problem(409, "fenced");
    if hub.wants_keys {
        // Whoever runs nothing under it cannot keep others back.
        let stranger = new_agent(&hub).client;
        let bare = json!({"retry_after_ms": 1000});
        stranger.post(&path, &bare).problem_with(422, "validation_failed", "task_id");
        stranger.post(&path, &body).problem(403, "forbidden");
    }
    assert_eq!(hub.client.post(&path, &body).ok()["success"], true);
    let (kept, other) = (desk.submit(limit.keyed("plan")), desk.submit(limit.keyed("other")));
    assert_eq!(ids_of(&desk.claim(&node)), [&other]);
    let shown = limit.show("plan");
    assert_eq!(shown["shut_by"], "penalty", "{shown}");
    assert!(shown["penalised_at"].is_string() && shown["opens_at"].is_string(), "{shown}");
    let told = why(&desk, &kept);
    assert_eq!((&told["reason"], &told["due_at"]), (&json!("limited"), &shown["opens_at"]));
    // A task that is under another limit says nothing of this one.
    let another = Limited::new(&hub.client, json!({"concurrency": 5}));
    let path = format!("/limits/{}/penalty", another.name);
    hub.client.post(&path, &body).problem(409, "conflict");
    hub.client.post("/limits/nowhere/penalty", &body).problem(404, "not_found");
    // The operator knows better: it opens, for each key alone, or for good.
    if hub.wants_keys {
        let path = format!("/limits/{}/penalty", limit.name);
        let open = json!({"retry_after_ms": 0, "task_id": held.id, "token": held.token});
        hub.client.post(&path, &open).problem_with(422, "validation_failed", "retry_after_ms");
        let open = |key: &str| {
            hub.client.post(&path, &json!({"retry_after_ms": 0, "key": key})).ok();
            limit.show("plan")["shut_by"].clone()
        };
        assert_eq!((open("other"), open("plan")), (json!("penalty"), Value::Null));
        // Whose it is, is said where each owner has one, and nowhere else.
        let of = |owner: &str| json!({"retry_after_ms": 1000, "key": "plan", "owner": owner});
        let wrong = hub.client.post(&path, &of("somebody"));
        wrong.problem_with(422, "validation_failed", "owner");
        let each = Limited::new(&hub.client, json!({"concurrency": 5, "per_owner": true}));
        let path = format!("/limits/{}/penalty", each.name);
        hub.client.post(&path, &of("")).problem_with(422, "validation_failed", "owner");
        hub.client.post(&path, &of("@admin")).ok();
        assert_eq!(ids_of(&desk.claim(&node)), [&kept]);
        return;
    }
    hub.client.delete(&format!("/limits/{}", limit.name)).ok();
    assert_eq!(ids_of(&desk.claim(&node)), [&kept]);
}

#[test]
fn under_two_limits_a_task_waits_for_both_and_keeps_no_place_of_the_first() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let wide = Limited::new(&client, json!({"concurrency": 1}));
    let narrow = Limited::new(&client, json!({"concurrency": 1}));
    let both = json!({"limits": [{"name": wide.name}, {"name": narrow.name}]});
    let node = desk.node(10);
    let blocker = desk.submit(narrow.under());
    let holder = desk.submit(wide.under());
    let (waiting, last) = (desk.submit(both), desk.submit(wide.under()));
    let mut running = desk.claim(&node);
    assert_eq!(ids_of(&running), [&blocker, &holder]);
    let (holder, blocker) = (running.pop().unwrap(), running.pop().unwrap());
    // The first in line for the free place cannot take it, so the next one does.
    complete(&desk, &holder);
    let mut running = desk.claim(&node);
    assert_eq!(ids_of(&running), [&last]);
    complete(&desk, &blocker);
    assert!(desk.claim(&node).is_empty());
    complete(&desk, &running.pop().unwrap());
    assert_eq!(ids_of(&desk.claim(&node)), [&waiting]);
}

#[test]
fn whoever_cannot_run_the_first_in_line_does_not_block_who_can_run_the_next() {
    let (_hub, client) = caller();
    let (rare, common) = (Desk::new(&client), Desk::new(&client));
    let limit = Limited::new(&client, json!({"concurrency": 1}));
    let node = common.node(10);
    common.submit(limit.under());
    let held = common.claim_one(&node);
    // Eight sets of skills stand before it that no node has.
    for n in 0..8 {
        let mut task = limit.under();
        task["required_skills"] = json!([rare.skill, format!("{}-{n}", rare.skill)]);
        rare.submit(task);
    }
    let all: Vec<String> = (0..8)
        .map(|n| {
            let mut task = limit.under();
            task["optional_skills"] = json!([format!("{n}")]);
            common.submit(task)
        })
        .collect();
    let rare_node = rare.node_with(json!({
        "available_skills":
            (0..8).map(|n| format!("{}-{n}", rare.skill)).chain([rare.skill.clone()]).collect::<Vec<_>>(),
    }));
    // All of them are put aside, and the node that could run the first eight goes away.
    assert!(rare.claim(&rare_node).is_empty() && common.claim(&node).is_empty());
    client.post(&format!("/nodes/{rare_node}/shutdown"), &json!({})).ok();
    complete(&common, &held);
    for expected in all {
        let held = common.claim_one(&node);
        assert_eq!(held.id, expected);
        complete(&common, &held);
    }
}

#[test]
fn a_named_task_is_kept_back_as_well() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let limit = Limited::new(&client, json!({"paused": true}));
    let (node, task) = (desk.node(1), desk.submit(limit.under()));
    let claim = json!({"node_id": node, "task_id": task});
    let answer = client.post("/tasks/claim", &claim).ok();
    assert_eq!(answer["tasks"], json!([]));
    assert!(answer["reason"].as_str().unwrap().contains("paused"), "{answer}");
    assert_eq!(why(&desk, &task)["reason"], "limited");
    limit.set(json!({"concurrency": 1}));
    assert_eq!(client.post("/tasks/claim", &claim).ok()["tasks"][0]["task_id"], json!(task));
}

#[test]
fn more_classes_than_one_claim_puts_aside_hide_nothing() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let limit = Limited::new(&client, json!({"paused": true}));
    let node = desk.node(1);
    let shut: Vec<Value> = (0..100)
        .map(|n| {
            json!({"name": "shut", "required_skills": [desk.skill],
                "limits": [{"name": limit.name, "key": n.to_string()}]})
        })
        .collect();
    client.post("/tasks/batch", &json!({"tasks": shut})).ok();
    let open = desk.submit(json!({"priority": 3}));
    assert_eq!(desk.claim_one(&node).id, open);
    let listed = client.get("/limits?limit=1000").ok();
    let named = |limit: &&Value| limit["name"].as_str() != Some("");
    assert!(listed.as_array().unwrap().iter().filter(named).any(|it| it["name"] == limit.name));
}

#[test]
fn what_no_limit_can_be_is_refused_with_the_field() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let name = unique("limit");
    let path = format!("/limits/{name}");
    let rate = |count: i64, per_ms: i64| json!({"rates": [{"count": count, "per_ms": per_ms}]});
    for (body, field) in [
        (json!({"concurrency": 0}), "concurrency"),
        (json!({"concurrency": 10_001}), "concurrency"),
        (rate(0, 1000), "rates[0].count"),
        (rate(1, 0), "rates[0].per_ms"),
        (json!({"rates": [{"count": 1, "per_ms": 1, "unit": "euros"}]}), "rates[0].unit"),
        (
            json!({"rates": [{"count": 1, "per_ms": 1}, {"count": 2, "per_ms": 1}]}),
            "rates[1].per_ms",
        ),
        (json!({"note": "a\u{202e}b"}), "note"),
    ] {
        client.put(&path, &body).problem_with(422, "validation_failed", field);
    }
    client.get(&path).problem(404, "not_found");
    client.delete(&path).problem(404, "not_found");
    let limits = |limits: Value| {
        client.post(
            "/tasks",
            &json!({"name": "work", "required_skills": [desk.skill], "limits": limits}),
        )
    };
    limits(json!([{"name": name}])).problem(409, "conflict");
    for (given, field) in [
        (json!([{}]), "limits[0].name"),
        (json!([{"name": "a/b"}]), "limits[0].name"),
        (json!([{"name": "a"}, {"name": "a", "key": "b"}]), "limits[1].name"),
        (json!([{"name": "a", "key": "\u{0}"}]), "limits[0].key"),
        (json!([{"name": "a", "cost": 0}]), "limits[0].cost"),
        (json!([{"name": "a", "tokens": -1}]), "limits[0].tokens"),
        (
            json!([{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}, {"name": "e"}]),
            "limits",
        ),
    ] {
        limits(given).problem_with(422, "validation_failed", field);
    }
}

#[test]
fn the_queue_skills_and_types_are_paused_and_resumed() {
    let hub = Hub::start();
    let client = hub.admin();
    let desk = Desk::new(&client);
    let other = unique("skill");
    let node = desk.node_with(json!({"available_skills": [desk.skill, other]}));
    let pause = |body: Value| client.put("/queue", &body).ok();
    assert_eq!(
        client.get("/queue").ok(),
        json!({"paused": false, "paused_skills": [], "paused_types": []})
    );
    let (skilled, plain) =
        (desk.submit(json!({})), desk.submit(json!({"required_skills": [other]})));
    pause(json!({"paused": true}));
    assert!(desk.claim(&node).is_empty());
    assert_eq!(why(&desk, &plain)["reason"], "paused");
    let stranger = client.new_agent().client;
    stranger.put("/queue", &json!({})).problem(403, "forbidden");
    assert_eq!(stranger.get("/queue").ok()["paused"], true);
    pause(json!({"paused_skills": [desk.skill]}));
    assert_eq!(ids_of(&desk.claim(&node)), [&plain]);
    assert_eq!(why(&desk, &skilled)["reason"], "paused");
    let both = json!({"paused": true, "paused_skills": ["a"]});
    client.put("/queue", &both).problem_with(422, "validation_failed", "paused_skills");
    let odd = json!({"paused_types": ["batch", "odd"]});
    client.put("/queue", &odd).problem_with(422, "validation_failed", "paused_types[1]");
    // Of a type, and of the one that a task has that names none.
    let daemon = desk.submit(json!({"required_skills": [other], "task_type": "daemon"}));
    pause(json!({"paused_types": ["daemon"], "paused_skills": [desk.skill]}));
    assert!(desk.claim(&node).is_empty());
    assert_eq!(why(&desk, &daemon)["reason"], "paused");
    let usual = desk.submit(json!({"required_skills": [other]}));
    pause(json!({"paused_types": ["batch"]}));
    assert_eq!(ids_of(&desk.claim(&node)), [&daemon]);
    assert_eq!(why(&desk, &usual)["reason"], "paused");
    // One that becomes of another type waits with these.
    client.patch(&format!("/tasks/{usual}"), &json!({"task_type": "io_intensive"})).ok();
    assert_eq!(ids_of(&desk.claim(&node)), [&usual]);
    pause(json!({"paused_skills": [desk.skill]}));
    // Who waits for work gets it when there is some again.
    let waiting = std::thread::spawn({
        let (desk, node) =
            (Desk { client: client.clone(), skill: desk.skill.clone() }, node.clone());
        move || desk.claim_with(&node, json!({"wait_ms": 30_000}))
    });
    pause(json!({}));
    assert_eq!(id_of(&waiting.join().unwrap()[0].task), skilled);
}
