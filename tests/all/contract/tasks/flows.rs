//! Tasks that follow others, batches and groups (contract.md §5).

use serde_json::{Value, json};

use super::{Desk, Held, id_of, ids_of};
use crate::contract::agents::new_agent;
use crate::contract::{caller, hub};
use crate::harness::{Answer, unique};

impl Desk {
    /// Submits a batch; each of its tasks is one of this desk.
    fn try_batch(&self, tasks: &[Value], rest: Value) -> Answer {
        let own = |fields: &Value| {
            let mut task = json!({"name": "work", "required_skills": [self.skill]});
            task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            task
        };
        let mut body = json!({"tasks": tasks.iter().map(own).collect::<Vec<_>>()});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        self.client.post("/tasks/batch", &body)
    }

    #[track_caller]
    fn batch(&self, tasks: &[Value], rest: Value) -> Value {
        self.try_batch(tasks, rest).ok()
    }

    fn complete(&self, held: &Held, result: Value) {
        self.post(held, "complete", json!({"result": result})).ok();
    }

    fn fail(&self, held: &Held) {
        self.post(held, "fail", json!({"error": "broken", "retryable": false})).ok();
    }

    fn group(&self, id: &str) -> Value {
        self.client.get(&format!("/groups/{id}")).ok()
    }
}

fn ids(batch: &Value) -> Vec<String> {
    batch["tasks"].as_array().unwrap().iter().map(id_of).collect()
}

fn statuses(batch: &Value) -> Vec<&str> {
    batch["tasks"].as_array().unwrap().iter().map(|task| task["status"].as_str().unwrap()).collect()
}

#[test]
fn a_task_follows_others_and_gets_their_results() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let batch = desk.batch(
        &[json!({}), json!({}), json!({"after": [{"task": "#0"}, {"task": "#1", "on": "ended"}]})],
        json!({}),
    );
    assert_eq!(statuses(&batch), ["pending", "pending", "waiting"]);
    assert_eq!(batch["group_id"], Value::Null);
    let [first, second, third] = ids(&batch).try_into().unwrap();
    assert_eq!(client.get(&format!("/tasks/{third}/why")).ok()["reason"], "waiting_for_tasks");
    let held = desk.claim(&node);
    assert_eq!(ids_of(&held), [&first, &second]);
    desk.complete(&held[0], json!({"pages": [1, 2]}));
    assert_eq!(desk.status(&third), "waiting");
    desk.fail(&held[1]);
    let held = desk.claim_one(&node);
    assert_eq!(held.id, third);
    let mut inputs = held.task["inputs"].as_array().unwrap().clone();
    inputs.sort_by_key(|input| input["task_id"] != json!(first));
    let expected = [
        json!({"task_id": first, "status": "completed", "result": {"pages": [1, 2]}}),
        json!({"task_id": second, "status": "failed"}),
    ];
    assert_eq!(inputs, expected);
}

#[test]
fn what_cannot_come_about_any_more_fails_all_down_the_line() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let batch = desk.batch(
        &[
            json!({}),
            json!({"after": [{"task": "#0"}]}),
            json!({"after": [{"task": "#1"}]}),
            json!({"after": [{"task": "#0", "on": "failed"}]}),
        ],
        json!({"group": {"name": "line"}}),
    );
    let [first, second, third, alarm] = ids(&batch).try_into().unwrap();
    desk.fail(&desk.claim_one(&node));
    assert_eq!((desk.status(&second), desk.status(&third)), ("failed".into(), "failed".into()));
    let error = desk.task(&second)["error"].as_str().unwrap().to_owned();
    assert!(error.contains(&first), "{error}");
    // Compensation runs instead.
    let held = desk.claim_one(&node);
    assert_eq!(held.id, alarm);
    desk.complete(&held, Value::Null);
    let group = desk.group(batch["group_id"].as_str().unwrap());
    assert_eq!((&group["status"], &group["first_failure"]), (&json!("failed"), &json!(first)));
    assert_eq!(
        (&group["total"], &group["failed"], &group["completed"]),
        (&json!(4), &json!(3), &json!(1))
    );

    // One alone cannot be tried again while what it follows has failed; the group can.
    client.post(&format!("/tasks/{second}/retry"), &json!({})).problem(409, "conflict");
    let path = format!("/groups/{}/retry", batch["group_id"].as_str().unwrap());
    assert_eq!(client.post(&path, &json!({})).ok()["changed"], 3);
    assert_eq!(desk.status(&third), "waiting");
    for expected in [&first, &second, &third] {
        let held = desk.claim_one(&node);
        assert_eq!(&held.id, expected);
        desk.complete(&held, Value::Null);
    }
    let group = desk.group(batch["group_id"].as_str().unwrap());
    assert_eq!((&group["status"], &group["open"]), (&json!("completed"), &json!(0)));
}

#[test]
fn a_group_counts_its_tasks_and_a_last_one_follows_it() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(100);
    let group_id = unique("group");
    let tasks = vec![json!({}); 60];
    let on_end = json!({"name": "last", "required_skills": [desk.skill]});
    let group = json!({"group_id": group_id, "name": "sixty", "on_end": on_end});
    let batch = desk.batch(&tasks, json!({"group": group}));
    assert_eq!((&batch["group_id"], ids(&batch).len()), (&json!(group_id), 60));
    assert_eq!(batch["on_end"]["status"], "waiting");
    assert_eq!(desk.task(&ids(&batch)[0])["group_id"], group_id);
    let shown = desk.group(&group_id);
    assert_eq!(
        (&shown["total"], &shown["open"], &shown["sealed"]),
        (&json!(60), &json!(60), &json!(true))
    );
    let listed = client.get(&format!("/groups/{group_id}/tasks?limit=25")).list();
    assert_eq!(listed.iter().map(id_of).collect::<Vec<_>>(), ids(&batch)[..25]);
    let held = desk.claim(&node);
    assert_eq!(held.len(), 60);
    for held in &held[..59] {
        desk.complete(held, Value::Null);
    }
    assert_eq!(desk.group(&group_id)["status"], "open");
    assert!(desk.claim(&node).is_empty());
    desk.complete(&held[59], Value::Null);
    let ended = client.get(&format!("/groups/{group_id}?wait_ms=30000")).ok();
    assert_eq!((&ended["status"], &ended["completed"]), (&json!("completed"), &json!(60)));
    let last = desk.claim_one(&node);
    assert_eq!(last.id, id_of(&batch["on_end"]));
    assert_eq!(last.task["inputs"], json!([{"group_id": group_id, "status": "completed"}]));
    let further = [json!({})];
    desk.try_batch(&further, json!({"group": {"group_id": group_id}})).problem(409, "conflict");
    client.post("/tasks", &json!({"name": "late", "group_id": group_id})).problem(409, "conflict");
}

#[test]
fn a_running_task_waits_for_its_children() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let parent = desk.submit(json!({"priority": 3}));
    let held = desk.claim_one(&node);
    let made = desk.batch(
        &[json!({}), json!({})],
        json!({"group": {"sealed": false}, "parent": {"task_id": parent, "token": held.token}}),
    );
    let group_id = made["group_id"].as_str().unwrap();
    assert_eq!(desk.group(group_id)["parent"], parent);
    let more = json!({"group": {"group_id": group_id, "sealed": false},
        "parent": {"task_id": parent, "token": held.token}});
    desk.batch(&[json!({})], more.clone());
    let waits = desk.post(&held, "wait", json!({"kind": "tasks", "group_id": group_id})).ok();
    assert_eq!(waits["status"], "waiting");
    assert_eq!(desk.group(group_id)["sealed"], true);
    // Its token is stale, so it makes no children any more.
    desk.try_batch(&[json!({})], more).problem(409, "fenced");
    for _ in 0..3 {
        let child = desk.claim_one(&node);
        assert_ne!(child.id, parent);
        desk.complete(&child, Value::Null);
    }
    let again = desk.claim_one(&node);
    assert_eq!(again.id, parent);
    assert_eq!(
        again.task["resume"]["tasks"],
        json!([{"group_id": group_id, "status": "completed"}])
    );
    // What has ended already need not be waited for.
    let ready = desk.post(&again, "wait", json!({"kind": "tasks", "group_id": group_id})).ok();
    assert_eq!((&ready["ready"], &ready["status"]), (&json!(true), &json!("running")));
    desk.complete(&again, Value::Null);
}

#[test]
fn a_wait_for_tasks_ends_with_all_with_one_or_with_a_failure() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    for (until, ends, expected) in [
        ("any", vec!["complete"], vec![json!("completed"), Value::Null]),
        ("completed", vec!["fail"], vec![json!("failed"), Value::Null]),
        ("ended", vec!["fail", "complete"], vec![json!("failed"), json!("completed")]),
    ] {
        let parent = desk.submit(json!({}));
        let held = desk.claim_one(&node);
        let children = ids(&desk.batch(&[json!({}), json!({})], json!({})));
        let wait = json!({"kind": "tasks", "task_ids": children, "until": until});
        assert_eq!(desk.post(&held, "wait", wait).ok()["status"], "waiting");
        for end in ends {
            assert_eq!(desk.status(&parent), "waiting", "{until}");
            let child = desk.claim_one(&node);
            match end {
                "fail" => desk.fail(&child),
                _ => desk.complete(&child, Value::Null),
            }
        }
        let again = desk.claim_one(&node);
        assert_eq!(again.id, parent, "{until}");
        let mut came = again.task["resume"]["tasks"].as_array().unwrap().clone();
        came.sort_by_key(|task| task["task_id"] != json!(children[0]));
        let came: Vec<_> = came.iter().map(|task| task["status"].clone()).collect();
        assert_eq!(came, expected, "{until}");
        desk.complete(&again, Value::Null);
        for left in desk.claim_with(&node, json!({"limit": 1})) {
            desk.complete(&left, Value::Null);
        }
    }
}

#[test]
fn a_group_is_cancelled_as_a_whole() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let mut tasks = vec![json!({}); 3];
    tasks.push(json!({"after": [{"task": "#0"}]}));
    tasks.push(json!({"approval": {"question": "?"}}));
    let batch = desk.batch(&tasks, json!({"group": {}}));
    let held = desk.claim_one(&node);
    let path = format!("/groups/{}/cancel", batch["group_id"].as_str().unwrap());
    assert_eq!(client.post(&path, &json!({})).ok()["changed"], 5);
    let group = desk.group(batch["group_id"].as_str().unwrap());
    assert_eq!((&group["status"], &group["cancelled"]), (&json!("failed"), &json!(5)));
    assert_eq!(desk.post(&held, "progress", json!({})).ok()["cancelled"], true);
    assert_eq!(client.post(&path, &json!({})).ok()["changed"], 0);
    for id in ids(&batch) {
        client.delete(&format!("/tasks/{id}")).ok();
    }
    client
        .get(&format!("/groups/{}", batch["group_id"].as_str().unwrap()))
        .problem(404, "not_found");
}

#[test]
fn a_batch_is_taken_as_a_whole_or_not_at_all() {
    let hub = hub();
    let client = new_agent(&hub).client;
    let desk = Desk::new(&client);
    let id = desk.submit(json!({"task_id": unique("own")}));
    desk.try_batch(&[json!({}), json!({"task_id": id})], json!({})).problem(409, "conflict");
    let after = |what: Value| [json!({}), json!({"after": [what]})];
    desk.try_batch(&after(json!({"task": "nowhere"})), json!({})).problem(409, "conflict");
    for (tasks, rest, field) in [
        (vec![], json!({}), "tasks"),
        (vec![json!({}); 101], json!({}), "tasks"),
        (after(json!({"task": "#1"})).to_vec(), json!({}), "tasks[1].after[0].task"),
        (after(json!({"task": "#0", "on": "soon"})).to_vec(), json!({}), "tasks[1].after[0].on"),
        (vec![json!({"priority": 9})], json!({}), "tasks[0].priority"),
        (vec![json!({})], json!({"parent": {"task_id": id}}), "parent.token"),
        (vec![json!({"group_id": "g"})], json!({}), "tasks[0].group_id"),
        // It would wait for itself.
        (
            vec![json!({"after": [{"group": "own"}]})],
            json!({"group": {"group_id": "own"}}),
            "tasks[0].after",
        ),
    ] {
        desk.try_batch(&tasks, rest).problem_with(422, "validation_failed", field);
    }
    assert_eq!(client.get("/tasks?limit=1").list()[0]["task_id"], id);
    let stale = json!({"parent": {"task_id": id, "token": "1-x"}});
    desk.try_batch(&[json!({})], stale).problem(409, "fenced");

    let many = desk.batch(&vec![json!({}); 250], json!({"atomic": false, "group": {}}));
    assert_eq!(ids(&many).len(), 250);
    assert_eq!(desk.group(many["group_id"].as_str().unwrap())["total"], 250);
}

#[test]
fn a_task_does_not_wait_for_the_group_that_it_is_of() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let made = desk.batch(&[json!({})], json!({"group": {"sealed": false}}));
    let group = &made["group_id"];
    let own = json!({"name": "x", "group_id": group, "after": [{"group": group}]});
    client.post("/tasks", &own).problem_with(422, "validation_failed", "after");
    let held = desk.claim_one(&node);
    let wait = json!({"kind": "tasks", "group_id": group});
    desk.post(&held, "wait", wait).problem(409, "conflict");
    desk.complete(&held, Value::Null);
}

#[test]
fn the_name_of_a_task_makes_nobody_elses_wait() {
    let hub = hub();
    let (ours, theirs) = (Desk::new(&hub.client), Desk::new(&hub.client));
    let task = ours.submit_with(json!({"approval": {"question": "ours?"}}));
    let wait = task["wait_id"].as_str().unwrap();
    let asks = |id: &str| json!({"task_id": id, "approval": {"question": "theirs?"}});
    let named = wait.strip_prefix("wait_").unwrap();
    let longest = format!("{}{}", unique("t"), "x".repeat(128))[..128].to_owned();
    let made = theirs.batch(&[asks(named), asks(&longest)], json!({}));
    assert_eq!(hub.client.get(&format!("/waits/{wait}")).ok()["question"], "ours?");
    for id in ids(&made) {
        let wait = theirs.task(&id)["wait_id"].as_str().unwrap().to_owned();
        let answer = json!({"decision": "approve"});
        let answered = hub.client.post(&format!("/waits/{wait}/answer"), &answer).ok();
        assert_eq!((&answered["question"], &answered["task_id"]), (&json!("theirs?"), &json!(id)));
    }
    assert_eq!(ours.status(&id_of(&task)), "waiting");
}

#[test]
fn a_repeat_of_a_batch_makes_no_second_one() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let keyed = Desk {
        client: client.with("idempotency-key", &unique("batch")),
        skill: desk.skill.clone(),
    };
    let tasks = [json!({}), json!({"after": [{"task": "#0"}]})];
    let first = keyed.batch(&tasks, json!({"group": {}}));
    assert_eq!(keyed.batch(&tasks, json!({"group": {}})), first);
    assert_eq!(desk.group(first["group_id"].as_str().unwrap())["total"], 2);
}

#[test]
fn what_follows_what_is_shown_before_and_after() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let other = desk.batch(&[json!({})], json!({"group": {}}));
    let group = other["group_id"].as_str().unwrap();
    let fan = [json!({}), json!({"after": [{"task": "#0", "on": "ended"}, {"group": group}]})];
    let batch = desk.batch(&fan, json!({"group": {"sealed": false}}));
    let tasks_of = format!("/groups/{}/tasks", batch["group_id"].as_str().unwrap());
    let [first, second] = ids(&batch).try_into().unwrap();
    let edges = |task_ended: Value, group_ended: Value| {
        let task = json!({"task": first, "on": "ended", "status": task_ended});
        json!([task, {"group": group, "on": "completed", "status": group_ended}])
    };
    let shown = client.get(&tasks_of).ok();
    assert_eq!(shown[0].get("after"), None, "{shown}");
    assert_eq!(shown[1]["after"], edges(Value::Null, Value::Null), "{shown}");
    assert_eq!(client.get(&format!("/tasks/{second}")).ok()["after"], shown[1]["after"]);
    desk.complete(&desk.claim_one(&node), Value::Null);
    desk.fail(&desk.claim_one(&node));
    desk.complete(&desk.claim_one(&node), Value::Null);
    let shown = client.get(&tasks_of).ok();
    assert_eq!(shown[1]["status"], "completed", "{shown}");
    assert_eq!(shown[1]["after"], edges(json!("failed"), json!("completed")), "{shown}");
}

#[test]
fn a_single_task_follows_and_joins_as_well() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let group = json!({"group": {"sealed": false}});
    let batch = desk.batch(&[json!({})], group);
    let group_id = batch["group_id"].as_str().unwrap();
    let first = ids(&batch).remove(0);
    let next = desk.submit_with(json!({"after": [{"task": first}], "group_id": group_id}));
    assert_eq!((&next["status"], &next["group_id"]), (&json!("waiting"), &json!(group_id)));
    desk.complete(&desk.claim_one(&node), Value::Null);
    // What has ended already is met at once.
    let ready = desk.submit_with(json!({"after": [{"task": first}]}));
    assert_eq!(ready["status"], "pending");
    let late = desk.submit_with(json!({"after": [{"task": first, "on": "failed"}]}));
    assert_eq!(desk.status(&id_of(&late)), "failed");
    desk.complete(&desk.claim_one(&node), Value::Null);
    assert_eq!(desk.group(group_id)["status"], "open");
}

#[test]
fn nobody_follows_what_belongs_to_another() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let (hers, his) = (Desk::new(&alice.client), Desk::new(&bob.client));
    let batch = hers.batch(&[json!({})], json!({"group": {"sealed": false}}));
    let (task, group) = (ids(&batch).remove(0), batch["group_id"].as_str().unwrap());
    for after in [json!({"task": task}), json!({"group": group})] {
        his.try_batch(&[json!({"after": [after]})], json!({})).problem(409, "conflict");
    }
    his.try_batch(&[json!({})], json!({"group": {"group_id": group}})).problem(409, "conflict");
    his.client.get(&format!("/groups/{group}")).problem(404, "not_found");
    his.client.get(&format!("/groups/{group}/tasks")).problem(404, "not_found");
    his.client.post(&format!("/groups/{group}/cancel"), &json!({})).problem(403, "forbidden");
    let node = his.node(1);
    his.submit(json!({}));
    let held = his.claim_one(&node);
    his.post(&held, "wait", json!({"kind": "tasks", "task_ids": [task]})).problem(409, "conflict");
    assert_eq!(his.post(&held, "progress", json!({})).ok()["status"], "running");
}

#[test]
fn a_thousand_are_followed_by_one_that_runs_once() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(100);
    let last = json!({"name": "last", "required_skills": [desk.skill]});
    let made =
        desk.batch(&vec![json!({}); 1000], json!({"atomic": false, "group": {"on_end": last}}));
    let last = id_of(&made["on_end"]);
    let mut done = 0;
    while done < 1000 {
        let held = desk.claim(&node);
        assert!(!held.is_empty(), "{done} are done, and no more are there");
        for held in &held {
            assert_ne!(held.id, last, "after {done}");
            desk.complete(held, Value::Null);
        }
        done += held.len();
    }
    let held = desk.claim(&node);
    assert_eq!(ids_of(&held), [&last]);
    desk.complete(&held[0], Value::Null);
    assert!(desk.claim(&node).is_empty());
    let group = desk.group(made["group_id"].as_str().unwrap());
    assert_eq!((&group["completed"], &group["status"]), (&json!(1000), &json!("completed")));
}
