//! The audit: what it does not tell, what it says of whom, and how much of it is kept.

use std::collections::BTreeSet;

use reef_domain::limits::{AUDIT_ENTRIES_HELD, AUDIT_SEAL_ENTRIES};
use reef_domain::trail::{Chain, Entry, Verifier};
use reef_store::audit::{Actor, head};
use reef_store::fairness::Put;
use reef_store::{Keys, Store};
use serde_json::{Value, json};

use crate::contract::Desk;
use crate::harness::{Answer, Blocking, Client, Hub, RedisServer, now};

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// All entries, newest first.
#[track_caller]
pub fn entries(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("/audit?limit=1000&{query}")).ok()["entries"].as_array().unwrap().clone()
}

/// Every chain from its first entry on, as `reef audit verify` reads it.
pub fn verify(client: &Client) -> [i64; 2] {
    Chain::ALL.map(|chain| {
        let mut verifier = Verifier::new(chain, 1, None);
        let path = format!("/audit?order=oldest&limit=1000&chain={}", chain.as_str());
        // To the letter: a link is made of that.
        let page = client.get(&path).text();
        let page: reef_api::audit::AuditList<Entry> = serde_json::from_str(&page).unwrap();
        for entry in &page.entries {
            verifier.feed(entry).unwrap();
        }
        let head = client.get(&format!("/audit/seals?chain={}", chain.as_str())).ok();
        verifier.finish(head["entries"].as_i64().unwrap(), head["link"].as_str().unwrap()).unwrap();
        verifier.entries()
    })
}

#[test]
fn what_agents_do_all_day_is_not_told_and_what_is_done_by_hand_is() {
    let hub = Hub::start();
    let (admin, agent) = (hub.admin(), hub.admin().new_agent());
    let desk = Desk::new(&agent.client);
    let node = desk.node(2);
    let done = desk.submit(json!({}));
    let held = desk.claim_one(&node);
    agent.client.post(&format!("/tasks/{done}/complete"), &json!({"token": held.token})).ok();
    let cancelled = desk.submit(json!({}));
    agent.client.post_empty(&format!("/tasks/{cancelled}/cancel")).ok();
    agent.client.patch(&format!("/nodes/{node}"), &json!({"status": "maintenance"})).ok();
    agent.client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    assert_eq!(entries(&admin, "chain=cluster"), Vec::<Value>::new());
    // The same by the command line and by the page.
    for via in ["cli", "page"] {
        let by_hand = agent.client.with("reef-via", via);
        let task = desk.submit(json!({}));
        by_hand.post_empty(&format!("/tasks/{task}/cancel")).ok();
        let found = entries(&admin, "chain=cluster");
        assert_eq!([&found[0]["via"], &found[0]["actor"]], [via, agent.id.as_str()]);
        assert!(found[0]["key_id"].as_str().unwrap().starts_with("key_"), "{found:?}");
    }
    // Of keys and agents it is always told, also where nothing else is said.
    agent.client.post("/auth/keys", &json!({"name": "second"})).ok();
    let [made, registered] = &entries(&admin, "chain=ledger")[..] else { panic!() };
    assert_eq!([&made["action"], &made["via"]], ["key.create", "api"]);
    assert_eq!([&registered["action"], &registered["actor"]], ["agent.register", "@admin"]);
    // Money that an agent moves is in the journal and nowhere else.
    admin.post("/deposit", &json!({"agent_id": agent.id, "amount": "5"})).ok();
    let pay = json!({"agent_id": agent.id, "amount": "1"});
    agent.client.with("reef-via", "cli").post("/withdraw", &pay).ok();
    let money = entries(&admin, "action=money.*");
    assert_eq!(money.len(), 1, "{money:?}");
    assert_eq!(money[0]["after"], json!({"balance": "5", "amount": "5", "entry": 1}));
}

#[test]
fn a_request_that_is_repeated_or_refused_has_no_entry_of_its_own() {
    let hub = Hub::start();
    let client = hub.admin();
    let desk = Desk::new(&client);
    let task = desk.submit(json!({}));
    let once = client.with("idempotency-key", "k").with("reef-reason", "twice");
    let path = format!("/tasks/{task}/cancel");
    for _ in 0..3 {
        once.post(&path, &json!({})).ok();
    }
    assert_eq!(entries(&client, "action=task.cancel").len(), 1);
    let made: BTreeSet<String> = (0..2)
        .map(|_| once.post("/agents/register", &json!({"agent_id": "bob"})).ok())
        .map(|answer| text(&answer["api_key_info"]["key_id"]))
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(entries(&client, "action=agent.register").len(), 1);
    // What has ended cannot be cancelled, what is not there not be removed.
    client.post(&path, &json!({})).problem(409, "conflict");
    client.delete("/nodes/nobody").problem(404, "not_found");
    client.delete("/limits/nothing").problem(404, "not_found");
    let count = json!({"action": "remove", "filter": {}, "dry_run": true});
    client.post("/bulk", &count).ok();
    client.post("/tasks/dead/redrive", &json!({"task_ids": [task], "dry_run": true})).ok();
    assert_eq!(entries(&client, "").len(), 2);
}

#[test]
fn a_reason_that_nobody_could_read_is_refused_before_anything_is_done() {
    let hub = Hub::start();
    let client = hub.admin();
    let node = client.new_node("n");
    let path = format!("/nodes/{node}");
    for bad in ["UTF-8''a%0Ab", "UTF-8''%E2%80%AE", "UTF-8''%ff", &"x".repeat(501)] {
        let client = client.with("reef-reason", bad);
        client.delete(&path).problem_with(400, "invalid_parameter", "Reef-Reason");
    }
    client.get(&path).ok();
    // Where nothing is told, nothing is read.
    client
        .with("reef-reason", &"x".repeat(501))
        .post(&format!("{path}/heartbeat"), &json!({}))
        .ok();
    client.with("reef-reason", &"x".repeat(500)).delete(&path).ok();
    assert_eq!(entries(&client, "")[0]["reason"], "x".repeat(500));
}

#[test]
fn only_who_administers_reads_it_and_each_admin_is_told_by_its_key() {
    let hub = Hub::start();
    let client = hub.admin();
    let agent = client.new_agent();
    for path in ["/audit", "/audit/seals?chain=ledger"] {
        agent.client.get(path).problem(403, "forbidden");
        hub.anonymous().get(path).problem(401, "unauthenticated");
    }
    for bad in ["order=x", "chain=x", "limit=0", "cursor=1", &format!("actor={}", "x".repeat(501))]
    {
        client.get(&format!("/audit?{bad}")).problem(400, "invalid_parameter");
    }
    client.get("/audit/seals").problem_with(400, "invalid_parameter", "chain");
    let fields = ["chain", "entries", "link", "begin", "lost", "first", "seals", "total"];
    client.get("/audit/seals?chain=cluster").has_fields(&fields);
    let key = client.post("/auth/keys", &json!({"agent_id": "@admin", "name": "ops"})).ok();
    let ops = hub.anonymous().with_key(key["api_key"].as_str().unwrap());
    let node = client.new_node("n");
    ops.delete(&format!("/nodes/{node}")).ok();
    let entry = &entries(&client, "action=node.remove")[0];
    assert_eq!([&entry["actor"], &entry["key_id"]], [&json!("@admin"), &key["key_info"]["key_id"]]);
    // Whoever comes in by an invite is called by it.
    let invite = client.post("/invites", &json!({})).ok();
    let invited = hub.anonymous().with_key(invite["invite"].as_str().unwrap());
    invited.post("/agents/register", &json!({"agent_id": "carol"})).ok();
    let entry = &entries(&client, "target=carol")[0];
    let id = text(&invite["invite_info"]["invite_id"]);
    assert_eq!(entry["actor"], format!("@{id}"));
    assert_eq!(entry["after"]["invite_id"], id);
}

#[test]
fn pages_of_both_parts_follow_each_other_without_a_gap() {
    let hub = Hub::start();
    let client = hub.admin();
    for n in 0..12 {
        let limit = format!("/limits/l{n}");
        client.put(&limit, &json!({})).ok();
        client.post("/agents/register", &json!({"agent_id": format!("a{n}")})).ok();
    }
    for order in ["newest", "oldest"] {
        let whole = entries(&client, &format!("order={order}"));
        assert_eq!(whole.len(), 24);
        let times: Vec<_> = whole.iter().map(|entry| text(&entry["at"])).collect();
        let is_sorted =
            if order == "oldest" { times.is_sorted() } else { times.iter().rev().is_sorted() };
        assert!(is_sorted, "{times:?}");
        let filtered = |entry: &&Value| entry["target"].as_str().unwrap().starts_with("l1");
        for (query, expected) in [
            ("", whole.clone()),
            ("&target=l1*", whole.iter().filter(filtered).cloned().collect()),
            ("&action=limit.set&chain=ledger", vec![]),
        ] {
            let mut target = format!("/audit?limit=5&order={order}{query}");
            let mut listed = Vec::new();
            loop {
                let answer = client.get(&target);
                listed.extend(answer.ok()["entries"].as_array().unwrap().clone());
                let Some(next) = next_of(&answer) else { break };
                target = next;
            }
            assert_eq!(listed, expected, "{order} {query}");
        }
    }
}

fn next_of(answer: &Answer) -> Option<String> {
    let next = answer.header("link")?.split(['<', '>']).nth(1).unwrap();
    Some(next.strip_prefix("/api/v1").unwrap().to_owned())
}

#[test]
fn what_is_long_is_cut_and_says_so() {
    let hub = Hub::start();
    let client = hub.admin();
    let schedule = json!({"spec": {"cron": "@yearly"}, "paused": true, "task": {
        "name": "n", "required_skills": ["x"], "parameters": {"text": "\"é\\/".repeat(2000)},
    }});
    client.put("/schedules/long", &schedule).ok();
    client.delete("/schedules/long").ok();
    for entry in entries(&client, "target=long") {
        let facts =
            if entry["action"] == "schedule.set" { &entry["after"] } else { &entry["before"] };
        assert_eq!(facts["cut"], true, "{entry}");
        assert!(facts["bytes"].as_i64().unwrap() > 10_000, "{entry}");
        assert!(facts["begins"].as_str().unwrap().starts_with("{\"spec\":"), "{entry}");
    }
    verify(&client);
}

#[test]
fn where_nobody_is_asked_for_a_key_everybody_is_anybody() {
    let hub = Hub::options().open().start();
    let (client, admin) = (hub.anonymous(), hub.admin());
    client.put("/limits/l", &json!({})).ok();
    let node = client.new_node("n");
    client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    client.with("reef-via", "page").delete(&format!("/nodes/{node}")).ok();
    client.get("/audit").problem(401, "unauthenticated");
    let found = entries(&admin, "");
    let said: Vec<_> = found.iter().map(|it| (text(&it["actor"]), text(&it["action"]))).collect();
    let by_anybody = |action: &str| ("@anybody".to_owned(), action.to_owned());
    assert_eq!(said, [by_anybody("node.remove"), by_anybody("limit.set")]);
}

#[test]
fn each_part_lies_where_its_keys_lie() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).variable("key_layout", "cluster").start();
    let client = hub.admin();
    let agent = client.new_agent();
    client.put("/limits/l", &json!({})).ok();
    client.post("/deposit", &json!({"agent_id": agent.id, "amount": "5"})).ok();
    assert_eq!(verify(&client), [1, 2]);
    let mut redis = server.connect();
    for (key, entries) in [("{cluster}:reef:audit", 1), ("{ledger}:reef:ledger-audit", 2)] {
        let found: i64 = redis::cmd("XLEN").arg(key).query(&mut redis).unwrap();
        assert_eq!(found, entries, "{key}");
    }
}

#[test]
fn what_stands_where_an_entry_would_costs_the_entry_and_not_the_change() {
    let hub = Hub::start();
    let client = hub.admin();
    let mut redis = hub.private_redis();
    redis::cmd("XADD").arg("reef:audit").arg("9-0").arg(&["x", "\u{1}"]).exec(&mut redis).unwrap();
    client.put("/limits/l", &json!({"concurrency": 1})).ok();
    assert_eq!(client.get("/limits/l").ok()["concurrency"], 1);
    let head = client.get("/audit/seals?chain=cluster").ok();
    assert_eq!([&head["lost"], &head["entries"]], [&json!(1), &json!(0)]);
    let found = entries(&client, "");
    assert_eq!((found.len(), &found[0]["seq"]), (1, &json!(9)));
}

#[test]
fn the_oldest_give_way_where_nobody_tends_them() {
    let server = RedisServer::start();
    let store = Store::new(Blocking::new(server.connect()), Keys::default());
    let fill = "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], i .. '-0', 'at', 1) end \
                redis.call('HSET', KEYS[2], 'entries', ARGV[1], 'link', 'x')";
    let mut eval = redis::cmd("EVAL");
    eval.arg(fill).arg(2).arg("reef:audit").arg("reef:audit-head").arg(AUDIT_ENTRIES_HELD - 1);
    eval.exec(&mut server.connect()).unwrap();
    let by = Actor {
        name: "alice",
        key_id: "key_1",
        via: "api",
        reason: "",
        request_id: "r",
        most: None,
    };
    let audited = store.audited(&by);
    let written = |weight: &str| {
        let weights = ["alice".to_owned(), weight.to_owned()];
        now(audited.call(&Put { weights: &weights })).unwrap();
        let head = now(head(&store, Chain::Cluster, 0, 10)).unwrap();
        let mut length = redis::cmd("XLEN");
        let length: i64 = length.arg("reef:audit").query(&mut server.connect()).unwrap();
        (length, head)
    };
    let (length, first) = written("1");
    assert_eq!((length, first.begin), (AUDIT_ENTRIES_HELD, 1));
    let (length, second) = written("2");
    let kept = AUDIT_ENTRIES_HELD + 1 - AUDIT_SEAL_ENTRIES;
    assert_eq!((length, second.begin), (kept, 1 + AUDIT_SEAL_ENTRIES));
    // Nobody had sealed what is no more: what is sealed from there on begins anew.
    assert_eq!((second.total, second.first, second.before), (1, 1, None));
    // Without anybody to name, nothing is written.
    now(store.call(&Put { weights: &[] })).unwrap();
    assert_eq!(now(head(&store, Chain::Cluster, 0, 10)).unwrap().entries, second.entries);
}
