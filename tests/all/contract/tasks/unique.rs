//! Tasks of which there is to be one: `unique`.

use std::time::{Duration, Instant};

use reef_api::time::UnixMillis;
use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::super::caller;
use super::super::idempotency::assert_replayed;
use super::{Desk, id_of};
use crate::harness::{PATIENCE, eventually, unique};

fn only(key: &str, fields: Value) -> Value {
    let mut unique = json!({"key": key});
    unique.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"unique": unique})
}

fn is_new(task: &Value) -> bool {
    task.get("deduplicated").is_none()
}

#[test]
fn there_is_one_until_it_has_ended() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let key = unique("key");
    let first = desk.submit_with(only(&key, json!({})));
    assert!(is_new(&first));
    let second = desk.submit_with(only(&key, json!({})));
    assert_eq!((id_of(&second), &second["deduplicated"]), (id_of(&first), &json!(true)));
    assert_eq!(second["routable"], true);
    assert!(is_new(&desk.submit_with(only(&unique("key"), json!({})))));
    let held = desk.claim(&node);
    assert_eq!(held.len(), 2);
    assert_eq!(id_of(&desk.submit_with(only(&key, json!({})))), id_of(&first));
    for held in &held {
        desk.post(held, "complete", json!({})).ok();
    }
    let third = desk.submit_with(only(&key, json!({})));
    assert!(is_new(&third), "{third}");
    // Nor does one that is gone keep anybody out.
    client.post_empty(&format!("/tasks/{}/cancel", id_of(&third))).ok();
    client.delete(&format!("/tasks/{}", id_of(&third))).ok();
    assert!(is_new(&desk.submit_with(only(&key, json!({})))));
}

#[test]
fn there_is_one_for_as_long_as_it_says() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let key = unique("key");
    let waiting = json!({"while": "waiting"});
    let first = desk.submit(only(&key, waiting.clone()));
    assert_eq!(desk.submit(only(&key, waiting.clone())), first);
    let held = desk.claim_one(&node);
    assert!(is_new(&desk.submit_with(only(&key, waiting))), "a node has the first one");
    desk.post(&held, "complete", json!({})).ok();

    let key = unique("key");
    let ttl = json!({"while": "ttl", "ttl_ms": 600_000});
    let first = desk.submit(only(&key, ttl.clone()));
    client.post_empty(&format!("/tasks/{first}/cancel")).ok();
    let again = desk.submit_with(only(&key, ttl.clone()));
    assert_eq!((id_of(&again), &again["status"]), (first.clone(), &json!("cancelled")));
    client.delete(&format!("/tasks/{first}")).ok();
    assert!(is_new(&desk.submit_with(only(&key, ttl))), "what is gone holds nothing");
    let key = unique("key");
    let short = json!({"while": "ttl", "ttl_ms": 50});
    let first = desk.submit(only(&key, short.clone()));
    eventually("the end of its time", PATIENCE, || {
        (desk.submit(only(&key, short.clone())) != first).then_some(())
    });
}

#[test]
fn another_one_is_rejected() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let key = unique("key");
    let first = desk.submit(only(&key, json!({})));
    let mut body = only(&key, json!({"then": "reject"}));
    body["name"] = json!("work");
    let refused = client.post("/tasks", &body).problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains(&first), "{refused}");
}

#[test]
fn nobody_meets_somebody_elses() {
    let (hub, client) = caller();
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let key = unique("key");
    let submit = |client: &crate::harness::Client, fields: Value| {
        let mut body = only(&key, fields);
        body["name"] = json!("work");
        body["required_skills"] = json!([unique("skill")]);
        client.post("/tasks", &body)
    };
    let own = [&alice.client, &bob.client, &client].map(|client| submit(client, json!({})).ok());
    assert!(own.iter().all(is_new), "each has its own");
    let first = submit(&alice.client, json!({"scope": "all"})).ok();
    assert!(is_new(&first));
    for then in ["return", "reject", "replace"] {
        let refused = submit(&bob.client, json!({"scope": "all", "then": then}));
        let refused = refused.problem(409, "conflict");
        assert!(!refused.to_string().contains(&id_of(&first)), "{refused}");
    }
    assert_eq!(id_of(&submit(&alice.client, json!({"scope": "all"})).ok()), id_of(&first));
}

#[test]
fn one_takes_the_place_of_another_that_waits() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let key = unique("key");
    let first = desk.submit(only(&key, json!({})));
    let other = desk.submit(json!({}));
    let follower = desk.submit(json!({"after": [{"task": first, "on": "ended"}]}));
    let mut body = only(&key, json!({"then": "replace"}));
    body["parameters"] = json!({"n": 2});
    let second = desk.submit_with(body);
    assert!(is_new(&second) && id_of(&second) != first);
    assert_eq!(desk.status(&first), "cancelled");
    assert_eq!(desk.status(&follower), "pending", "whoever followed it has heard of its end");
    // At its place in the queue.
    let held = desk.claim_one(&node);
    assert_eq!((&held.id, &held.task["parameters"]), (&id_of(&second), &json!({"n": 2})));
    desk.post(&held, "complete", json!({})).ok();
    assert_eq!(desk.claim_one(&node).id, other);

    // Wherever it waits.
    for fields in [json!({"delay_ms": 600_000}), json!({"after": [{"task": other}]})] {
        let key = unique("key");
        let mut body = only(&key, json!({}));
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let first = desk.submit(body);
        assert_ne!(desk.submit(only(&key, json!({"then": "replace"}))), first);
        assert_eq!(desk.status(&first), "cancelled");
    }
}

#[test]
fn one_begins_after_another_that_runs() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let key = unique("key");
    let replace = || only(&key, json!({"then": "replace"}));
    desk.submit(replace());
    let held = desk.claim_one(&node);
    let second = desk.submit_with(replace());
    assert_eq!(second["status"], "waiting");
    // The next one takes its place, and waits for the same.
    let third = desk.submit_with(replace());
    assert_eq!(
        (desk.status(&id_of(&second)), &third["status"]),
        ("cancelled".into(), &json!("waiting"))
    );
    assert!(desk.claim(&node).is_empty());
    desk.post(&held, "fail", json!({"error": "broken", "retryable": false})).ok();
    let next = eventually("the third", PATIENCE, || desk.claim(&node).pop());
    assert_eq!(next.id, id_of(&third));
}

#[test]
fn a_debounced_task_begins_after_the_last_submission() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let key = unique("key");
    let ms =
        |task: &Value, field: &str| UnixMillis::parse(task[field].as_str().unwrap()).unwrap().0;
    let debounce = json!({"then": "debounce", "debounce_ms": 300, "most_ms": 900});
    let first = desk.submit_with(only(&key, debounce.clone()));
    assert_eq!((is_new(&first), &first["status"]), (true, &json!("scheduled")));
    let latest = ms(&first, "submitted_at") + 900;
    let mut due = ms(&first, "scheduled_at");
    let begun = Instant::now();
    let node = desk.node(1);
    let held = loop {
        let again = desk.submit_with(only(&key, debounce.clone()));
        assert_eq!(id_of(&again), id_of(&first));
        let next = ms(&again, "scheduled_at");
        // A step of the clock apart: the logical clock is read once, and Redis' once.
        assert!(next >= due - 1 && next <= latest + 1, "{next} {due} {latest}");
        due = next;
        if let Some(held) = desk.claim(&node).pop() {
            break held;
        }
        assert!(begun.elapsed() < PATIENCE, "it is put off for ever");
        std::thread::sleep(Duration::from_millis(30));
    };
    assert!(begun.elapsed() >= Duration::from_millis(600), "it was not put off");
    // What comes now is another one's.
    let next = desk.submit_with(only(&key, debounce));
    assert!(is_new(&next) && id_of(&next) != held.id);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (_hub, client) = caller();
    let work = |unique: Value, more: Value| {
        let mut body = json!({"name": "work", "unique": unique});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (unique, more, field) in [
        (json!({}), json!({}), "unique.key"),
        (json!({"key": "k", "then": "wait"}), json!({}), "unique.then"),
        (json!({"key": "k", "while": "ttl"}), json!({}), "unique.ttl_ms"),
        (json!({"key": "k", "then": "debounce"}), json!({}), "unique.debounce_ms"),
        (
            json!({"key": "k", "then": "debounce", "debounce_ms": 1}),
            json!({"delay_ms": 1}),
            "delay_ms",
        ),
        (json!({"key": "k"}), json!({"approval": {"question": "?"}}), "approval"),
        (json!({"key": "k"}), json!({"group_id": "g"}), "group_id"),
    ] {
        client.post("/tasks", &work(unique, more)).problem_with(422, "validation_failed", field);
    }
    let one = work(json!({"key": "k"}), json!({}));
    let batch = client.post("/tasks/batch", &json!({"tasks": [one]}));
    batch.problem_with(422, "validation_failed", "tasks[0].unique");
    let schedule = json!({"spec": {"every_ms": 60_000}, "task": one});
    let put = client.put(&format!("/schedules/{}", unique("schedule")), &schedule);
    put.problem_with(422, "validation_failed", "task.unique");
}

#[test]
fn a_repeat_gets_the_same_answer() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let key = unique("key");
    for _ in 0..2 {
        let mut body = only(&key, json!({}));
        body["name"] = json!("work");
        body["required_skills"] = json!([desk.skill]);
        assert_replayed(&client, "/tasks", &body);
    }
}

#[test]
fn of_sixty_four_at_once_there_is_one() {
    let (_hub, client) = caller();
    let desk = &Desk::new(&client);
    for then in ["return", "reject"] {
        let key = &unique("key");
        let ids: Vec<String> = std::thread::scope(|scope| {
            let ask = move || {
                let mut body = only(key, json!({"then": then}));
                body["name"] = json!("work");
                body["required_skills"] = json!([desk.skill]);
                let answer = desk.client.post("/tasks", &body);
                (answer.status == 200).then(|| id_of(&answer.json()))
            };
            let asked: Vec<_> = (0..64).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().filter_map(|asked| asked.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), if then == "return" { 64 } else { 1 });
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
}

#[test]
fn never_do_two_run_that_replace_each_other() {
    let (_hub, client) = caller();
    let desk = &Desk::new(&client);
    let node = &desk.node(10);
    let key = &unique("key");
    let mut running = Vec::new();
    for round in 0..40 {
        let claimed = std::thread::scope(|scope| {
            let replace = move || {
                for _ in 0..3 {
                    let mut body = only(key, json!({"then": "replace"}));
                    body["labels"] = json!({"of": key});
                    desk.submit(body);
                }
            };
            let replacing = [scope.spawn(replace), scope.spawn(replace)];
            let claiming = scope.spawn(move || {
                let mut claimed = desk.claim(node);
                claimed.extend(desk.claim(node));
                claimed
            });
            replacing.into_iter().for_each(|it| it.join().unwrap());
            claiming.join().unwrap()
        });
        running.extend(claimed);
        assert!(running.len() <= 1, "round {round}: {running:?}");
        if round % 2 == 1 {
            for held in running.drain(..) {
                desk.post(&held, "complete", json!({})).ok();
            }
        }
    }
    // At most one is left to run, and one that waits for it.
    let all = client.get(&format!("/tasks?label=of:{key}&limit=1000")).list();
    assert_eq!(all.len(), 240);
    let unfinished = ["pending", "waiting", "running"];
    let is_left = |task: &&Value| unfinished.contains(&task["status"].as_str().unwrap());
    let left = all.iter().filter(is_left).count();
    assert!(left <= 2, "{left} are left");
}
