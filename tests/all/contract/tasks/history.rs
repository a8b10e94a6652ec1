//! The tries of a task, dead letters by error, and what a history may be asked (contract.md §5). What a history
//! says is for a hub that a test has for itself: `alone/history.rs`.

use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::lists::next;
use super::{Desk, Held};
use crate::contract::hub;
use crate::harness::{PATIENCE, eventually, unique};

fn attempts(desk: &Desk, id: &str) -> Vec<Value> {
    let found = desk.client.get(&format!("/tasks/{id}/attempts")).ok();
    assert_eq!(found["success"], true);
    found["attempts"].as_array().unwrap().clone()
}

fn outcomes(tries: &[Value]) -> Vec<&str> {
    tries.iter().map(|one| one["outcome"].as_str().unwrap()).collect()
}

#[test]
fn each_try_of_a_task_is_listed_with_its_end() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let [a, b] = [(); 2].map(|()| desk.node(5));
    let id = desk.submit(json!({"max_retries": 3}));
    assert_eq!(attempts(&desk, &id), [Value::Null; 0], "nobody has had it");

    let usage = json!([{"model": "m", "input": 7, "output": 3, "cost": "0.5"}]);
    let held = desk.claim_one(&a);
    let running = attempts(&desk, &id);
    assert_eq!(outcomes(&running), ["running"]);
    assert_eq!(running[0].get("to"), None);
    desk.post(&held, "progress", json!({"usage": usage})).ok();
    assert_eq!(attempts(&desk, &id)[0]["tokens_in"], 7, "while it runs, too");
    let error = format!("no such file: é{}\nand more", "x".repeat(300));
    desk.post(&held, "fail", json!({"error": error, "retry_in_ms": 0})).ok();

    // What the next one uses is its own; its node goes.
    let held = desk.claim_one(&b);
    desk.post(&held, "progress", json!({"usage": [{"model": "m", "input": 1, "cost": "0.25"}]}))
        .ok();
    desk.client.post_empty(&format!("/nodes/{b}/shutdown")).ok();
    // It asks for time.
    let held = desk.claim_one(&a);
    desk.post(&held, "fail", json!({"error": "busy", "snooze": true, "retry_in_ms": 0})).ok();
    // It waits for something that is no node.
    let held = desk.claim_one(&a);
    desk.post(&held, "wait", json!({"kind": "sleep", "for_ms": 1})).ok();
    let held =
        eventually("it is over", PATIENCE, || desk.claim_with(&a, json!({"limit": 1})).pop());
    desk.post(&held, "fail", json!({"error": "out of luck", "retryable": false})).ok();

    let all = attempts(&desk, &id);
    let expected = ["failed", "released", "snoozed", "waiting", "failed"];
    assert_eq!(outcomes(&all), expected, "{all:?}");
    let numbers: Vec<_> = all.iter().map(|one| one["attempt"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let nodes: Vec<_> = all.iter().map(|one| one["node_id"].as_str().unwrap()).collect();
    assert_eq!(nodes, [&a, &b, &a, &a, &a].map(String::as_str));
    for (one, next) in all.iter().zip(&all[1..]) {
        let [from, to, then] =
            [&one["from"], &one["to"], &next["from"]].map(|it| it.as_str().unwrap());
        assert!(from <= to && to <= then, "{one} {next}");
    }
    let kept = all[0]["error"].as_str().unwrap();
    assert!(kept.starts_with("no such file: éxxx") && kept.len() <= 200, "{kept}");
    assert_eq!(all[4]["error"], "out of luck");
    let used = ["tokens_in", "tokens_out", "cost"].map(|name| all[0][name].clone());
    assert_eq!(used, [json!(7), json!(3), json!("0.5")]);
    assert_eq!([&all[1]["tokens_in"], &all[1]["cost"]], [&json!(1), &json!("0.25")]);
    assert_eq!(all[4].get("tokens_in"), None);

    // Tried again by hand, it has them still; a completion is the last of them.
    desk.client.post_empty(&format!("/tasks/{id}/retry")).ok();
    assert_eq!(outcomes(&attempts(&desk, &id)), expected);
    let held = desk.claim_one(&a);
    desk.post(&held, "complete", json!({"usage": usage})).ok();
    let all = attempts(&desk, &id);
    assert_eq!(outcomes(&all), [&expected[..], &["completed"]].concat());
    assert_eq!((&all[5]["cost"], &all[4]["error"]), (&json!("0.5"), &json!("out of luck")));
    assert_eq!(all[5]["to"], desk.task(&id)["completed_at"]);

    desk.client.delete(&format!("/tasks/{id}")).ok();
    desk.client.get(&format!("/tasks/{id}/attempts")).problem(404, "not_found");
}

#[test]
fn the_last_20_tries_are_kept() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let id = desk.submit(json!({"max_retries": 100}));
    for n in 0..25 {
        let held = desk.claim_one(&node);
        desk.post(&held, "fail", json!({"error": format!("error {n}"), "retry_in_ms": 0})).ok();
    }
    let numbers = |all: &[Value]| -> Vec<i64> {
        all.iter().map(|one| one["attempt"].as_i64().unwrap()).collect()
    };
    // One place is the next one's.
    assert_eq!(numbers(&attempts(&desk, &id)), (7..=25).collect::<Vec<_>>());
    desk.claim_one(&node);
    assert_eq!(numbers(&attempts(&desk, &id)), (7..=26).collect::<Vec<_>>());
    desk.client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    let last = attempts(&desk, &id)[19].clone();
    assert_eq!((&last["outcome"], last.get("error")), (&json!("cancelled"), None));
    // One that is called off while it waits has no try for that.
    let waiting = desk.submit(json!({}));
    desk.client.post_empty(&format!("/tasks/{waiting}/cancel")).ok();
    assert_eq!(attempts(&desk, &waiting), [Value::Null; 0]);
}

#[test]
fn a_lease_that_runs_out_is_a_try() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let id = desk.submit(json!({"max_retries": 1}));
    desk.claim_for(&node, 1000);
    eventually("it is back", PATIENCE, || (desk.status(&id) == "pending").then_some(()));
    let tries = attempts(&desk, &id);
    assert_eq!(
        (outcomes(&tries), &tries[0]["error"]),
        (vec!["timeout"], &json!("The lease ran out."))
    );
    desk.claim_for(&node, 1000);
    eventually("it has ended", PATIENCE, || (desk.status(&id) == "timeout").then_some(()));
    assert_eq!(outcomes(&attempts(&desk, &id)), ["timeout", "timeout"]);
}

#[test]
fn a_stale_token_adds_no_try() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let id = desk.submit(json!({"max_retries": 5}));
    let held = desk.claim_one(&node);
    desk.post(&held, "fail", json!({"error": "x", "retry_in_ms": 0})).ok();
    for (verb, body) in [("fail", json!({"error": "late"})), ("complete", json!({}))] {
        desk.post(&held, verb, body).problem(409, "fenced");
    }
    desk.post(&held, "wait", json!({"kind": "sleep", "for_ms": 1})).problem(409, "fenced");
    let forged = Held { token: "1-forged".to_owned(), ..held };
    desk.post(&forged, "fail", json!({"error": "late"})).problem(409, "fenced");
    assert_eq!(attempts(&desk, &id).len(), 1);
}

/// Fails a task of this name for good.
fn bury(desk: &Desk, node: &str, name: &str, error: &str) -> String {
    let id = desk.submit(json!({"name": name}));
    let held = desk.claim_with(node, json!({"task_id": id})).remove(0);
    desk.post(&held, "fail", json!({"error": error, "retryable": false})).ok();
    id
}

fn groups(desk: &Desk) -> Vec<Value> {
    let found = desk.client.get("/tasks/dead?group=error").ok();
    found["groups"].as_array().unwrap().clone()
}

#[test]
fn dead_letters_are_counted_by_what_went_wrong() {
    let hub = hub();
    let agent = new_agent(&hub);
    let desk = Desk::new(&agent.client);
    let node = desk.node(9);
    let name = unique("resize");
    let alike = [
        "no such file '/tmp/17.png' (code 0x7f)",
        "no such file '/tmp/9f3c.png' (code 0x01)\nTraceback…",
        "\nno such file 'other' (code 0xffffffff)",
    ];
    let ids = alike.map(|error| bury(&desk, &node, &name, error));
    let other_name = bury(&desk, &node, "other", alike[0]);
    let other_error =
        bury(&desk, &node, &name, "connection 5f1d0c2e-9ab3-4760-8d2f-000000000001 reset");
    let same = bury(&desk, &node, &name, "connection 7a1d0c2e-9ab3-4760-8d2f-00000000beef reset");

    let all = groups(&desk);
    let counts: Vec<_> = all.iter().map(|it| it["count"].as_i64().unwrap()).collect();
    assert_eq!(counts, [2, 1, 3], "the latest first: {all:?}");
    let [reset, other, files] = [&all[0], &all[1], &all[2]];
    assert_eq!((&reset["example"], &other["example"]), (&json!(same), &json!(other_name)));
    assert_eq!((&files["example"], &files["name"]), (&json!(ids[2]), &json!(name)));
    assert_eq!(files["error"], "no such file 'other' (code 0xffffffff)");
    let at = |id: &str| desk.task(id)["completed_at"].clone();
    assert_eq!((&files["first_at"], &files["last_at"]), (&at(&ids[0]), &at(&ids[2])));

    // What was found so can be listed, by others not.
    let key = files["key"].as_str().unwrap();
    let mut listed = desk.client.get(&format!("/tasks?error_key={key}")).list();
    assert_eq!(listed.len(), 3);
    listed.retain(|task| ids.iter().any(|id| task["task_id"] == id.as_str()));
    assert_eq!(listed.len(), 3);
    let stranger = Desk::new(&new_agent(&hub).client);
    assert_eq!(groups(&stranger), [Value::Null; 0]);
    assert_eq!(stranger.client.get(&format!("/tasks?error_key={key}")).list(), [Value::Null; 0]);
    let theirs = json!({"filter": {"error_key": key}});
    assert_eq!(stranger.client.post("/tasks/dead/redrive", &theirs).ok()["redriven"], 0);

    // Pages of groups.
    let mut found = Vec::new();
    let mut path = "/tasks/dead?group=error&limit=1".to_owned();
    loop {
        let page = desk.client.get(&path);
        let page_groups = page.ok()["groups"].as_array().unwrap().clone();
        found.extend(page_groups);
        match next(&page) {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(found, all);

    // Counts stay true: one is removed, one is tried again, the rest by the key.
    desk.client.delete(&format!("/tasks/{}", ids[2])).ok();
    let files = groups(&desk).into_iter().find(|it| it["key"] == key).unwrap();
    assert_eq!((&files["count"], &files["example"]), (&json!(2), &json!(ids[1])));
    desk.client.post_empty(&format!("/tasks/{}/retry", ids[0])).ok();
    let files = groups(&desk).into_iter().find(|it| it["key"] == key).unwrap();
    assert_eq!((&files["count"], &files["first_at"]), (&json!(1), &at(&ids[1])));
    let body = json!({"filter": {"error_key": key}, "dry_run": true});
    assert_eq!(desk.client.post("/tasks/dead/redrive", &body).ok()["task_ids"], json!([ids[1]]));
    let body = json!({"filter": {"error_key": key}});
    assert_eq!(desk.client.post("/tasks/dead/redrive", &body).ok()["redriven"], 1);
    let left: Vec<_> = groups(&desk).iter().map(|it| it["key"].clone()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!left.contains(&json!(key)));

    // And a change of many takes the key, too.
    let key = groups(&desk)[0]["key"].clone();
    let body =
        json!({"action": "retry", "filter": {"error_key": key}, "most": 10, "reason": "test"});
    let bulk = desk.client.post("/bulk", &body).ok();
    let path = format!("/bulk/{}", bulk["bulk_id"].as_str().unwrap());
    let bulk = eventually("it is done", PATIENCE, || {
        Some(desk.client.get(&path).ok()).filter(|it| it["status"] == "completed")
    });
    assert_eq!(bulk["done"], 2, "{bulk}");
    for id in [&other_error, &same] {
        assert_eq!(desk.status(id), "pending");
    }
    assert_eq!(groups(&desk).len(), 1);
}

#[test]
fn what_is_asked_of_a_history_has_rules() {
    let hub = hub();
    let client = &hub.client;
    for (query, name) in [
        ("step=61", "step"),
        ("series=odd", "series"),
        ("series=submitted,,", "series"),
        ("from=yesterday", "from"),
        ("to=1", "to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:01Z", "from"),
        ("from=1969-12-31T00:00:00Z&to=1970-01-01T00:01:00Z", "from"),
    ] {
        let answer = client.get(&format!("/history?{query}"));
        answer.problem_with(400, "invalid_parameter", name);
    }
    client.get("/tasks/dead?group=name").problem(400, "invalid_parameter");
    client.get("/tasks?error_key=x").problem(400, "invalid_parameter");
    let body = json!({"filter": {"error_key": "x"}});
    client.post("/tasks/dead/redrive", &body).problem(422, "validation_failed");

    let day = client.get("/history?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z").ok();
    let points = day["points"].as_array().unwrap();
    assert_eq!((points.len(), &day["step"]), (1440, &json!(60)));
    assert_eq!(points[1]["at"], "2026-01-01T00:01:00.000Z");
    // Where nothing was, counts are 0, and what somebody would have had to look at is not there.
    assert_eq!((&points[0]["submitted"], &points[0]["cost"]), (&json!(0), &json!(0.0)));
    for name in ["wait_p50", "run_p95", "nodes_online", "waiting"] {
        assert_eq!(points[0].get(name), None, "{name}");
    }
    let two = client.get("/history?series=dead,waiting&step=3600").ok();
    let point = two["points"][167].as_object().unwrap();
    assert!(point.keys().all(|name| ["at", "dead", "waiting"].contains(&name.as_str())), "{two}");
    assert_eq!(two["points"].as_array().unwrap().len(), 168);

    // What others have spent is the admin's to see.
    let agent = new_agent(&hub).client;
    let points = agent.get("/history").ok()["points"].clone();
    assert_eq!((points[0].get("cost"), &points[0]["submitted"].is_i64()), (None, &true));
    agent.get("/history?series=cost").problem(403, "forbidden");
}
