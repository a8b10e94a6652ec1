use std::time::Duration;

use serde_json::{Value, json};

use super::{Mcp, agent};
use crate::harness::{Hub, eventually, race, unique};

/// The shortest lease that a tool takes, and some more.
const LAPSE: Duration = Duration::from_secs(30);

#[test]
fn two_clients_never_get_the_same_task() {
    let hub = Hub::start();
    let admin = hub.admin();
    let workers: Vec<_> = (0..2).map(|_| agent(&admin, &["build"]).1).collect();
    let mut left = Vec::new();
    for number in 0..20 {
        let task = json!({"name": format!("t{number}"), "required_skills": ["build"]});
        let task = workers[0].call("submit_task", &task);
        left.push(task["task"]["task_id"].as_str().unwrap().to_owned());
    }
    let got = race(2, |number| {
        let mut got = Vec::new();
        loop {
            let claimed = workers[number].call("claim_task", &json!({}));
            let tasks = claimed["tasks"].as_array().unwrap().clone();
            let Some(task) = tasks.first() else { return got };
            got.push(task["task_id"].as_str().unwrap().to_owned());
            let end = json!({"task_id": task["task_id"], "token": task["token"],
                "outcome": "completed", "result": {"by": number}});
            assert_eq!(workers[number].call("finish_task", &end)["status"], "completed");
        }
    });
    let mut all: Vec<_> = got.into_iter().flatten().collect();
    all.sort();
    left.sort();
    assert_eq!(all, left);
}

#[test]
fn there_is_one_task_of_a_key() {
    let hub = Hub::start();
    let mcp = agent(&hub.admin(), &["build"]).1;
    let mut body = json!({"name": "t", "required_skills": ["build"], "unique_key": "k",
        "fairness_key": "acme"});
    let first = mcp.call("submit_task", &body);
    let again = mcp.call("submit_task", &body);
    assert_eq!(again["task"]["task_id"], first["task"]["task_id"]);
    assert_eq!(again["task"]["deduplicated"], true);
    body["replace"] = json!(true);
    let other = mcp.call("submit_task", &body);
    assert_ne!(other["task"]["task_id"], first["task"]["task_id"]);
}

#[test]
fn a_call_renews_what_the_agent_holds_and_says_for_how_long() {
    let hub = Hub::start();
    let (alice, mcp) = agent(&hub.admin(), &["build"]);
    let task = mcp.call("submit_task", &json!({"name": "t", "required_skills": ["build"]}));
    let task_id = task["task"]["task_id"].clone();
    let claimed = mcp.call("claim_task", &json!({"lease_ms": 60_000}));
    assert_eq!(claimed["tasks"][0]["task_id"], task_id);
    let lease = claimed["tasks"][0]["lease_expires_in_ms"].as_i64().unwrap();
    assert!((50_000..=60_000).contains(&lease), "{lease}");
    // Whatever it calls.
    let looked = mcp.call("find_agents", &json!({}));
    let renewed = &looked["agent"]["claims"][0];
    assert_eq!(renewed["task_id"], task_id);
    assert!(renewed["lease_expires_in_ms"].as_i64().unwrap() > 50_000, "{renewed}");
    assert_eq!(looked["agent"]["agent_id"], alice.id);
}

#[test]
fn whoever_falls_silent_is_told_what_it_has_lost() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (_, silent) = agent(&admin, &["build"]);
    let (_, other) = agent(&admin, &["build"]);
    let task = silent.call("submit_task", &json!({"name": "t", "required_skills": ["build"]}));
    let task_id = task["task"]["task_id"].clone();
    let claimed = silent.call("claim_task", &json!({"lease_ms": 10_000}));
    let token = claimed["tasks"][0]["token"].clone();
    // Nobody says that it has lost it; another one gets it.
    let taken = eventually("the lapse of the lease", LAPSE, || {
        let claimed = other.call("claim_task", &json!({"wait_ms": 5000}));
        claimed["tasks"].as_array().unwrap().first().cloned()
    });
    assert_eq!(taken["task_id"], task_id);
    let told = silent.call("list_tasks", &json!({}));
    assert_eq!(told["agent"]["lost_claims"][0]["task_id"], task_id, "{told}");
    assert!(told["agent"].get("claims").is_none());
    let end = json!({"task_id": task_id, "token": token, "outcome": "completed"});
    let (code, text) = silent.fail("finish_task", &end);
    assert_eq!(code, "fenced");
    assert!(text.contains("do not repeat this call"), "{text}");
}

#[test]
fn a_cancelled_task_is_named_in_the_next_call() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (_, mcp) = agent(&admin, &["build"]);
    let task = mcp.call("submit_task", &json!({"name": "t", "required_skills": ["build"]}));
    let task_id = task["task"]["task_id"].clone();
    mcp.call("claim_task", &json!({}));
    admin.post(&format!("/tasks/{}/cancel", task_id.as_str().unwrap()), &json!({})).ok();
    let told = mcp.call("find_agents", &json!({}));
    let lost = &told["agent"]["lost_claims"][0];
    assert_eq!((&lost["task_id"], &lost["reason"]), (&task_id, &json!("cancelled")), "{told}");
}

#[test]
fn a_named_task_is_claimed_or_none() {
    let hub = Hub::start();
    let (alice, mcp) = agent(&hub.admin(), &["build"]);
    let submit = |body: Value| mcp.call("submit_task", &body)["task"]["task_id"].clone();
    submit(json!({"name": "first", "priority": 0}));
    let second = submit(json!({"name": "second", "target_agent": alice.id}));
    let claimed = mcp.call("claim_task", &json!({"task_id": second}));
    assert_eq!(claimed["tasks"][0]["task_id"], second);
    let again = mcp.call("claim_task", &json!({"task_id": second}));
    assert_eq!(again["tasks"], json!([]));
    assert!(!again["reason"].as_str().unwrap().is_empty(), "{again}");
    let elsewhere = submit(json!({"name": "third", "target_agent": "somebody-else"}));
    assert_eq!(mcp.call("claim_task", &json!({"task_id": elsewhere}))["tasks"], json!([]));
    let why = mcp.call("get_task", &json!({"task_id": elsewhere}));
    assert!(why["why"].is_object(), "{why}");
}

#[test]
fn who_submits_waits_for_the_result() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (_, asker) = agent(&admin, &["ask"]);
    let (_, worker) = agent(&admin, &["build"]);
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            let claimed = worker.call("claim_task", &json!({"wait_ms": 20_000}));
            let task = &claimed["tasks"][0];
            let more = json!({"task_id": task["task_id"], "token": task["token"], "progress": 0.5});
            assert_eq!(worker.call("update_task", &more)["cancelled"], false);
            let end = json!({"task_id": task["task_id"], "token": task["token"],
                "outcome": "completed", "result": {"sum": 42}});
            worker.call("finish_task", &end);
        });
        let body = json!({"name": "t", "required_skills": ["build"], "wait_ms": 14_000});
        asker.call("submit_task", &body)
    });
    assert_eq!(done["task"]["status"], "completed");
    assert_eq!(done["task"]["result"], json!({"sum": 42}));
}

#[test]
fn mail_is_counted_read_and_acknowledged() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (alice, a) = agent(&admin, &["a"]);
    let (bob, b) = agent(&admin, &["b"]);
    let mail = json!({"to": bob.id, "content": {"hello": 1}, "idempotency_key": "once"});
    let sent = a.call("send_message", &mail);
    assert_eq!(a.call("send_message", &mail)["msg_id"], sent["msg_id"]);
    assert_eq!(b.call("check_in", &json!({}))["agent"]["unread"], 1);
    assert_eq!(b.call("read_inbox", &json!({"peek": true}))["depth"], 1);
    let read = b.call("read_inbox", &json!({"ack": false}));
    assert_eq!(read["messages"][0]["from"], alice.id);
    let receipt = read["messages"][0]["receipt"].clone();
    assert_eq!(b.call("ack_messages", &json!({"receipts": [receipt]}))["acknowledged"], 1);
    a.call("send_message", &json!({"to": bob.id, "content": "again"}));
    let read = b.call("read_inbox", &json!({}));
    assert_eq!(read["messages"][0]["content"], "again");
    assert!(
        b.call("read_inbox", &json!({})).get("messages").unwrap().as_array().unwrap().is_empty()
    );
    // Nobody reads another's.
    assert_eq!(a.fail("get_task", &json!({"task_id": unique("none")})).0, "not_found");
}

#[test]
fn every_toolset_does_what_it_says() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (alice, _) = agent(&admin, &["a"]);
    let (bob, _) = agent(&admin, &["b"]);
    let a = Mcp::with_all(&alice.client);
    alice.client.post("/deposit", &json!({"agent_id": alice.id, "amount": "100"})).ok();

    assert_eq!(a.call("balance", &json!({}))["available"], "100");
    let pay = json!({"to": bob.id, "amount": "12.5", "memo": "gpu", "idempotency_key": "p1"});
    a.call("pay", &pay);
    a.call("pay", &pay);
    let hold = a.call("hold", &json!({"amount": "10"}));
    let hold_id = hold["hold"]["hold_id"].clone();
    assert_eq!(a.call("balance", &json!({}))["available"], "77.5");
    a.call(
        "settle_hold",
        &json!({"hold_id": hold_id, "action": "post", "amount": "4", "to": bob.id}),
    );
    let rest = a.call("hold", &json!({"amount": "1"}))["hold"]["hold_id"].clone();
    a.call("settle_hold", &json!({"hold_id": rest, "action": "void"}));
    assert_eq!(a.call("balance", &json!({}))["available"], "83.5");
    assert_eq!(a.call("entries", &json!({"limit": 1}))["entries"].as_array().unwrap().len(), 1);
    let (code, text) = a.fail("pay", &json!({"to": bob.id, "amount": "1000"}));
    assert_eq!(code, "insufficient_balance");
    assert!(text.contains("Pay less"), "{text}");

    let led = a.call("campaign", &json!({"ttl_ms": 60_000}));
    assert_eq!(led["is_leader"], true);
    assert_eq!(a.call("leader", &json!({}))["leader"], alice.id);
    a.call("resign", &json!({"term": led["term"]}));

    let session = a.call("open_session", &json!({"user_id": "ada"}))["session_id"].clone();
    let asked =
        a.call("start_message", &json!({"session_id": session, "content": "What is there?"}));
    let message = asked["assistant_message_id"].clone();
    for seq in [0, 0, 1] {
        let producer = json!({"id": "p", "epoch": 0, "seq": seq});
        let delta =
            json!({"message_id": message, "delta": format!("{seq} "), "producer": producer});
        a.call("append_message", &delta);
    }
    let block = json!({"content_type": "text", "text": {"text": "more"}});
    a.call("add_block", &json!({"message_id": message, "block": block}));
    a.call("complete_message", &json!({"message_id": message}));
    let read = a.call("read_message", &json!({"message_id": message}));
    let text: String = read["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["payload"]["delta"].as_str())
        .collect();
    assert_eq!(text, "0 1 ");

    let operator = Mcp::with_all(&admin);
    assert_eq!(operator.call("cluster_health", &json!({}))["online_nodes"], 2);
    assert_eq!(operator.call("drain_agent", &json!({"agent": bob.id}))["status"], "maintenance");
    assert_eq!(operator.call("redrive", &json!({}))["dry_run"], true);
    let events = operator.call("events", &json!({"type": "node_registered"}));
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    // The drained agent hears of it, and cannot undo it.
    let told = Mcp::new(&bob.client).call("check_in", &json!({"status": "online"}));
    assert_eq!(
        (&told["node"]["status"], &told["agent"]["drain"]),
        (&json!("maintenance"), &json!(true))
    );
}

#[test]
fn what_goes_wrong_is_said_with_what_to_do() {
    let hub = Hub::start();
    let admin = hub.admin();
    let stranger = Mcp::new(&admin.new_agent().client);
    let (code, text) = stranger.fail("claim_task", &json!({}));
    assert_eq!(code, "not_found");
    assert!(text.contains("call check_in first"), "{text}");
    let (_, mcp) = agent(&admin, &["a"]);
    let (code, text) = mcp.fail("submit_task", &json!({"name": "x", "priority": 7, "colour": 1}));
    assert_eq!(code, "validation_failed");
    assert!(text.contains("priority") && text.contains("colour"), "{text}");
    // What only the hub knows to be wrong.
    let (code, text) = mcp.fail("submit_task", &json!({"name": "x\u{202e}y"}));
    assert_eq!(code, "validation_failed");
    assert!(text.contains("Correct the arguments"), "{text}");
    assert_eq!(mcp.fail("cancel_task", &json!({"task_id": "../nodes"})).0, "validation_failed");
}

#[test]
fn an_agent_has_work_submitted_again_and_again() {
    let hub = Hub::start();
    let (alice, _) = agent(&hub.admin(), &["write"]);
    let mcp = Mcp::with_all(&alice.client);
    let id = unique("digest");
    let task = json!({"name": "digest", "required_skills": ["write"]});
    let set =
        json!({"schedule_id": id, "cron": "0 2 * * *", "timezone": "Europe/Berlin", "task": task});
    let made = mcp.call("set_schedule", &set);
    assert_eq!((&made["owner"], &made["paused"]), (&json!(alice.id), &json!(false)));
    let which = json!({"schedule_id": id});
    assert_eq!(mcp.call("show_schedule", &which)["upcoming"].as_array().unwrap().len(), 5);
    let pause = |paused: bool| json!({"schedule_id": id, "paused": paused, "note": "for now"});
    assert_eq!(mcp.call("pause_schedule", &pause(true))["paused"], true);
    assert_eq!(mcp.call("set_schedule", &set)["paused"], true);
    let begun = mcp.call("trigger_schedule", &which);
    let claimed = mcp.call("claim_task", &json!({}));
    assert_eq!(claimed["tasks"][0]["task_id"], begun["runs"][0]["task_id"]);
    assert_eq!(mcp.fail("trigger_schedule", &which).0, "conflict");
    let nights =
        json!({"schedule_id": id, "from": "2025-03-29T00:00:00Z", "to": "2025-03-30T12:00:00Z"});
    assert_eq!(mcp.call("backfill_schedule", &nights)["runs"].as_array().unwrap().len(), 2);
    assert_eq!(mcp.call("backfill_schedule", &nights)["runs"], json!([]));
    assert_eq!(mcp.call("pause_schedule", &pause(false))["paused"], false);
    let listed = mcp.call("list_schedules", &json!({}));
    assert_eq!(
        (&listed["schedules"][0]["schedule_id"], &listed["schedules"][0]["started"]),
        (&json!(id), &json!(3))
    );
    assert_eq!(mcp.call("remove_schedule", &which)["schedule_id"], json!(id));
    assert_eq!(mcp.fail("show_schedule", &which).0, "not_found");
}

#[test]
fn an_agent_says_what_it_has_used_and_is_paid() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (alice, _) = agent(&admin, &["write"]);
    let (bob, _) = agent(&admin, &["translate"]);
    alice.client.post("/deposit", &json!({"agent_id": alice.id, "amount": "5"})).ok();
    let (buyer, worker) = (Mcp::with_all(&alice.client), Mcp::with_all(&bob.client));
    Mcp::with_all(&admin).call("set_price", &json!({"model": "m", "input": "1", "output": "2"}));
    assert_eq!(buyer.call("list_prices", &json!({}))["prices"][0]["cached"], "1");
    let user = json!({"scope": "user", "id": "u", "tokens": 1_000_000, "on_exceed": "wait"});
    assert_eq!(buyer.call("set_budget", &user)["exceeded"], false);
    assert_eq!(buyer.call("list_budgets", &json!({}))["budgets"][0]["id"], "u");
    let task = json!({"name": "translate", "required_skills": ["translate"], "charge": {"max": "2"},
        "budget": {"cost": "1", "on_exceed": "wait"}});
    buyer.call("submit_task", &task);
    let claimed = worker.call("claim_task", &json!({}))["tasks"][0].clone();
    assert_eq!(claimed["charge"]["max"], "2", "{claimed}");
    let usage = json!([{"model": "m", "input": 100_000, "output": 100_000, "requests": 1}]);
    let told = json!({"task_id": claimed["task_id"], "token": claimed["token"], "usage": usage});
    assert_eq!(worker.call("update_task", &told)["budget"]["cost_left"], "0.7");
    let end = json!({"task_id": claimed["task_id"], "token": claimed["token"],
        "outcome": "completed", "result": "done", "usage": usage, "amount": "1.5"});
    worker.call("finish_task", &end);
    assert_eq!(worker.call("balance", &json!({}))["balance"], "1.5");
    let usage = buyer.call("show_usage", &json!({"by": "owner"}));
    assert_eq!(
        (&usage["total"]["cost"], &usage["rows"][0]["key"]),
        (&json!("0.3"), &json!(alice.id))
    );
    let which = json!({"scope": "user", "id": "u"});
    assert_eq!(buyer.call("remove_budget", &which)["id"], "u");
    assert_eq!(buyer.fail("remove_budget", &which).0, "not_found");
}
