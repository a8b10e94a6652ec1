//! Answers are bounded in bytes: what does not fit on a page is on the next, and what is not handed
//! out is not taken.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::tasks::{Desk, Held, held};
use super::{caller, events::end, lists::next_page};
use crate::harness::{Answer, Client, Message, registration, unique};

/// The bound of an answer, with room for what stands around its entries.
const ANSWER_MAX: usize = (4 << 20) + (64 << 10);
/// Just below the largest body.
const NEARLY_A_BODY: usize = 1_000_000;

/// The entries of all pages from this path on, each page within the bound. `member` names the list
/// within an answer; without one the answer is the list.
#[track_caller]
fn all_pages(client: &Client, first: &str, member: Option<&str>) -> (Vec<Value>, usize) {
    let (mut entries, mut pages, mut path) = (Vec::new(), 0, Some(first.to_owned()));
    while let Some(current) = path {
        let answer = client.get(&current);
        let body = answer.ok();
        let page = member.map_or(&body, |member| &body[member]).as_array().unwrap();
        assert!(answer.body.len() <= ANSWER_MAX || page.len() == 1, "{}", answer.body.len());
        entries.extend(page.iter().cloned());
        pages += 1;
        path = next_page(&answer);
    }
    (entries, pages)
}

fn names<'a>(entries: &'a [Value], name: &str) -> Vec<&'a str> {
    entries.iter().map(|entry| entry[name].as_str().unwrap()).collect()
}

#[test]
fn a_claim_takes_what_it_can_hand_out_and_no_more() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let (text, user) = ("x".repeat(NEARLY_A_BODY), unique("user"));
    let fields = json!({"parameters": {"text": text}, "max_retries": 0, "user_id": user});
    let submitted: BTreeSet<String> = (0..9).map(|_| desk.submit(fields.clone())).collect();
    // Strangers' tasks that any node may run come between. They are held until all of ours are taken,
    // by as many nodes as that needs.
    let mut nodes = vec![(desk.node(100), 0)];
    let mut taken = BTreeSet::new();
    while taken.len() < submitted.len() {
        let (node, strange) = nodes.last_mut().unwrap();
        let answer = client.post("/tasks/claim", &json!({"node_id": node, "limit": 17}));
        let held = held(&answer.ok());
        assert!(answer.body.len() <= ANSWER_MAX, "{}", answer.body.len());
        let is_ours = |one: &Held| submitted.contains(&one.id);
        let (ours, strangers): (Vec<_>, Vec<_>) = held.into_iter().partition(is_ours);
        assert!(ours.len() < submitted.len(), "{}", ours.len());
        *strange += strangers.len();
        if ours.is_empty() && strangers.is_empty() {
            assert_eq!(*strange, 100, "nothing was taken by a node that has room");
            nodes.push((desk.node(100), 0));
        }
        for one in &ours {
            assert_eq!(one.task["parameters"]["text"], text);
            assert!(taken.insert(one.id.clone()), "{} was handed out twice", one.id);
            desk.post(one, "complete", json!({})).ok();
        }
        for id in submitted.difference(&taken) {
            let task = desk.task(id);
            assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(0)));
        }
    }
    assert_eq!(taken, submitted);
    let (listed, pages) = all_pages(&client, &format!("/tasks?user_id={user}&limit=1000"), None);
    assert!(listed.len() == 9 && pages >= 3, "{} on {pages} pages", listed.len());
    for (node, _) in &nodes {
        client.delete(&format!("/nodes/{node}")).ok();
    }
}

#[test]
fn a_repeated_claim_gets_its_bounded_answer_again() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let text = "x".repeat(NEARLY_A_BODY);
    let submitted: BTreeSet<String> =
        (0..6).map(|_| desk.submit(json!({"parameters": {"text": text}}))).collect();
    let ours = |claimed: Vec<Held>| {
        let ids = claimed.into_iter().map(|one| one.id);
        ids.filter(|id| submitted.contains(id)).collect::<Vec<_>>()
    };
    let node = desk.node(100);
    let keyed = client.with("idempotency-key", &unique("claim"));
    let body = json!({"node_id": node, "limit": 17});
    let (first, again) = (keyed.post("/tasks/claim", &body), keyed.post("/tasks/claim", &body));
    assert_eq!(first.ok(), again.ok());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert!(first.body.len() <= ANSWER_MAX, "{}", first.body.len());
    // The repeat has taken nothing: the rest is there.
    let mut taken: BTreeSet<String> = ours(held(&first.ok())).into_iter().collect();
    assert!(taken.len() < submitted.len(), "all within the bound");
    while taken.len() < submitted.len() {
        let claimed = desk.claim_with(&node, json!({"limit": 17}));
        assert!(!claimed.is_empty(), "{:?} are not to be had", submitted.difference(&taken));
        for id in ours(claimed) {
            assert!(taken.insert(id.clone()), "{id} was handed out twice");
        }
    }
    client.delete(&format!("/nodes/{node}")).ok();
}

#[test]
fn a_page_that_takes_several_scripts_has_no_more_room_than_one() {
    let (_hub, client) = caller();
    let (skill, user) = (unique("skill"), unique("user"));
    let group = unique("group");
    let task = json!({"name": "work", "required_skills": [skill], "user_id": user,
        "parameters": {"text": "x".repeat(30_000)}});
    let mut ids = Vec::new();
    for n in 0..7 {
        let tasks = vec![task.clone(); 30];
        let body = json!({"tasks": tasks, "group": {"group_id": group, "sealed": n == 6}});
        let taken = client.post("/tasks/batch", &body).ok();
        ids.extend(
            names(taken["tasks"].as_array().unwrap(), "task_id").into_iter().map(str::to_owned),
        );
    }
    for path in [format!("/groups/{group}/tasks?"), format!("/tasks?user_id={user}&")] {
        let (large, pages) = all_pages(&client, &format!("{path}limit=1000"), None);
        assert!(pages == 2 && large.len() == ids.len(), "{} on {pages} pages", large.len());
        let (small, _) = all_pages(&client, &format!("{path}limit=40"), None);
        assert_eq!(names(&large, "task_id"), names(&small, "task_id"));
    }
    let (in_order, _) = all_pages(&client, &format!("/groups/{group}/tasks?limit=1000"), None);
    assert_eq!(names(&in_order, "task_id"), ids);
    client.post(&format!("/groups/{group}/cancel"), &json!({})).ok();
}

#[test]
fn dead_and_waiting_tasks_are_listed_page_by_page() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let text = "x".repeat(NEARLY_A_BODY);
    let ids: Vec<String> = (0..6)
        .map(|_| desk.submit(json!({"parameters": {"text": text}, "max_retries": 0})))
        .collect();
    let is_ours = |entries: &[Value]| {
        names(entries, "task_id").into_iter().filter(|id| ids.iter().any(|own| own == id)).count()
    };
    assert_eq!(is_ours(&all_pages(&client, "/tasks/pending?limit=1000", None).0), 6);
    let node = desk.node(20);
    for _ in 0..6 {
        let held = desk.claim_one(&node);
        // A reason that is as large as a body does not make it larger.
        let body = json!({"error": "\u{1}".repeat(160_000), "retryable": false});
        let failed = desk.post(&held, "fail", body).ok();
        assert_eq!(failed["error"], "\u{1}".repeat(10_000));
    }
    assert_eq!(is_ours(&all_pages(&client, "/tasks/dead?limit=1000", None).0), 6);
}

#[test]
fn mail_is_received_as_far_as_there_is_room() {
    let (_hub, client) = caller();
    let agent = unique("agent");
    let content = "x".repeat(65_000);
    for _ in 0..100 {
        client.post(&format!("/inbox/{agent}"), &json!({"from": "a", "content": content})).ok();
    }
    let (looked_at, pages) =
        all_pages(&client, &format!("/inbox/{agent}?limit=1000"), Some("messages"));
    assert!(looked_at.len() == 100 && pages == 2, "{} on {pages} pages", looked_at.len());

    let mut received = BTreeSet::new();
    for round in 0..2 {
        let answer = client.post(&format!("/inbox/{agent}/receive"), &json!({"limit": 100}));
        let mails = answer.ok()["messages"].as_array().unwrap().clone();
        assert!(answer.body.len() <= ANSWER_MAX, "{}", answer.body.len());
        assert!(!mails.is_empty() && mails.len() < 100, "round {round}: {}", mails.len());
        for mail in &mails {
            assert_eq!(mail["attempts"], 1, "what was not handed out has lost a try");
            assert!(received.insert(mail["msg_id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(received.len(), 100);
}

#[test]
fn mail_and_metadata_are_bounded_in_bytes() {
    let (_hub, client) = caller();
    let path = format!("/inbox/{}", unique("agent"));
    let text = |bytes: usize| "é".repeat(bytes / 2);
    let mail = |content: String, metadata: Value| {
        client.post(&path, &json!({"from": "a", "content": content, "metadata": metadata}))
    };
    mail(text(65_000), json!({})).ok();
    mail(text(65_536), json!({})).problem_with(422, "validation_failed", "content");
    mail(text(40_000), json!({"x": text(30_000)})).problem_with(
        422,
        "validation_failed",
        "content",
    );
    mail(text(10), json!({"x": text(70_000)})).problem_with(422, "validation_failed", "metadata");
    for path in ["/agents/register", "/sessions"] {
        client.post(path, &json!({"metadata": {"x": text(16_000)}})).ok();
        client.post(path, &json!({"metadata": {"x": text(16_384)}})).problem_with(
            422,
            "validation_failed",
            "metadata",
        );
    }
    let labels: Vec<String> = (0..100).map(|n| format!("{}{n}", "狗".repeat(60))).collect();
    let mut node = registration(&unique("node"));
    node["available_skills"] = json!(labels);
    client.post("/nodes/register", &node).problem_with(
        422,
        "validation_failed",
        "available_skills",
    );
    client.post("/tasks", &json!({"name": "n", "required_skills": labels})).problem_with(
        422,
        "validation_failed",
        "required_skills",
    );
}

#[test]
fn nodes_with_many_labels_are_listed_page_by_page() {
    let (_hub, client) = caller();
    let skill = unique("skill");
    let labels = |prefix: &str| -> Vec<String> {
        (0..99).map(|n| format!("{prefix}{}{n:03}", "l".repeat(120))).collect()
    };
    let mut ids = BTreeSet::new();
    for _ in 0..180 {
        let mut body = registration(&unique("node"));
        body["available_skills"] = json!([&[skill.clone()][..], &labels("s")].concat());
        body["tags"] = json!(labels("t"));
        let made = client.post("/nodes/register", &body).ok();
        ids.insert(made["node_id"].as_str().unwrap().to_owned());
    }
    for path in [
        "/nodes?limit=1000".to_owned(),
        "/nodes/online".to_owned(),
        "/nodes/available".to_owned(),
        format!("/nodes/skills/{skill}"),
        format!("/nodes?skill={skill}&tag=t{}000", "l".repeat(120)),
    ] {
        let (nodes, pages) = all_pages(&client, &path, None);
        let listed = names(&nodes, "node_id");
        let ours = listed.iter().filter(|id| ids.contains(**id)).count();
        assert!(ours == 180 && pages > 1, "{path}: {ours} on {pages} pages");
    }
    for id in &ids {
        client.delete(&format!("/nodes/{id}")).ok();
    }
}

#[test]
fn events_with_many_skills_are_read_page_by_page() {
    let (_hub, client) = caller();
    let skills: Vec<String> =
        (0..100).map(|n| format!("{}{n:03}", "l".repeat(100) + &unique(""))).collect();
    let mut path = Some(format!("/cluster/events?after={}&limit=1000", end(&client)));
    let ids: BTreeSet<String> = (0..360)
        .map(|_| {
            let body = json!({"name": "n", "required_skills": skills});
            client.post("/tasks", &body).ok()["task_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let (mut seen, mut pages) = (BTreeSet::new(), 0);
    while let Some(current) = path {
        let answer = client.get(&current);
        let page = answer.ok();
        assert!(answer.body.len() <= ANSWER_MAX, "{}", answer.body.len());
        assert_eq!(page["gap"], Value::Null);
        let events = page["events"].as_array().unwrap();
        seen.extend(
            events.iter().filter_map(|it| Some(it["payload"]["task_id"].as_str()?.to_owned())),
        );
        pages += 1;
        path = next_page(&answer);
    }
    assert!(ids.is_subset(&seen) && pages > 1, "{pages} pages");
    // The end of the log is bounded as a page is, and has no hole before what comes next.
    let answer = client.get("/cluster/events?latest=true&limit=1000");
    assert!(answer.body.len() <= ANSWER_MAX, "{}", answer.body.len());
    let page = answer.ok();
    let events = page["events"].as_array().unwrap();
    let told = events.iter().filter_map(|it| it["payload"]["task_id"].as_str());
    let told = told.filter(|id| ids.contains(*id)).count();
    assert!(told < 360, "{told}");
    assert_eq!(page["next"], events[events.len() - 1]["event_id"]);
    for id in &ids {
        client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    }
}

#[track_caller]
fn session(client: &Client) -> String {
    client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned()
}

fn append(client: &Client, id: &str, delta: &str) -> Answer {
    client.post(&format!("/messages/{id}/append"), &json!({"delta": delta}))
}

#[test]
fn messages_of_eight_megabytes_are_listed_one_by_one() {
    let (_hub, client) = caller();
    let session = session(&client);
    let piece = "x".repeat(1 << 19);
    let ids: Vec<String> = (0..3).map(|_| Message::begin_in(&client, &session).id).collect();
    let small = Message::begin_in(&client, &session).id;
    append(&client, &small, "small").ok();
    for id in &ids {
        for _ in 0..16 {
            append(&client, id, &piece).ok();
        }
        append(&client, id, "x").problem(413, "payload_too_large");
    }
    for first in ["messages", "messages?limit=1", "messages?limit=2"] {
        let (listed, pages) =
            all_pages(&client, &format!("/sessions/{session}/{first}"), Some("messages"));
        assert_eq!(names(&listed, "message_id"), [&ids[..], std::slice::from_ref(&small)].concat());
        assert!(pages >= 3, "{pages}");
        assert!(listed.iter().take(3).all(|it| it["text"].as_str().unwrap().len() == 8 << 20));
    }
    // What was passed over by number is passed over once.
    let (listed, _) =
        all_pages(&client, &format!("/sessions/{session}/messages?offset=1"), Some("messages"));
    assert_eq!(names(&listed, "message_id"), [&ids[1..], &[small]].concat());
}

#[test]
fn a_large_text_is_whole_whatever_happens_to_it_meanwhile() {
    // A character of three bytes, so that a cut would be seen.
    let (first, piece) = ("起".repeat(40_000), "起".repeat(1_000));
    let (_hub, client) = caller();
    let message = Message::begin(&client);
    append(&client, &message.id, &first).ok();
    let path = format!("/messages/{}", message.id);
    let before = client.get(&path).ok();
    let is_whole = |seen: &Value| {
        let pieces = seen["sequence"].as_u64().unwrap()
            - before["sequence"].as_u64().unwrap()
            - u64::from(seen["is_complete"] == true);
        let characters = seen["text"].as_str().unwrap().chars().count() as u64;
        assert_eq!(characters, 40_000 + 1_000 * pieces, "{}", seen["sequence"]);
        assert!(seen["text"].as_str().unwrap().chars().all(|it| it == '起'));
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..100 {
                append(&client, &message.id, &piece).ok();
            }
            client.post(&format!("{path}/complete"), &json!({})).ok();
        });
        while !writer.is_finished() {
            is_whole(&client.get(&path).ok());
        }
    });
    let after = client.get(&path).ok();
    assert_eq!(after["is_complete"], true);
    is_whole(&after);
    let listed = client.get(&format!("/sessions/{}/messages", message.session)).ok();
    is_whole(&listed["messages"][0]);
}

#[test]
fn a_text_is_bounded_as_json_too() {
    let (_hub, client) = caller();
    let id = Message::begin_in(&client, &session(&client)).id;
    let piece = "\u{1}".repeat(170_000);
    let mut taken = 0;
    loop {
        let answer = append(&client, &id, &piece);
        if answer.status == 413 {
            break;
        }
        taken += answer.ok()["length"].as_u64().unwrap().min(170_000);
    }
    assert_eq!(taken, 10 * 170_000);
    let shown = client.get(&format!("/messages/{id}")).ok();
    assert_eq!(shown["text"].as_str().unwrap().len() as u64, taken);
}

#[test]
fn a_long_text_becomes_several_events() {
    let (_hub, client) = caller();
    let session = session(&client);
    let text = "a€🦀\u{1}".repeat(40_000);
    let sent = json!({"content": text});
    let sent = client.post(&format!("/sessions/{session}/messages"), &sent).ok();
    let id = Message::begin_in(&client, &session).id;
    let producer = json!({"id": "p", "epoch": 0, "seq": 0});
    let body = json!({"delta": text, "producer": producer});
    let appended = client.post(&format!("/messages/{id}/append"), &body).ok();
    let again = client.post(&format!("/messages/{id}/append"), &body).ok();
    assert_eq!(appended, again, "a repeat was applied");
    for id in [id.as_str(), sent["user_message_id"].as_str().unwrap()] {
        let (events, _) =
            all_pages(&client, &format!("/messages/{id}/events?limit=7"), Some("events"));
        let deltas: Vec<&Value> =
            events.iter().filter(|event| event["event_type"] == "text_delta").collect();
        let told: String =
            deltas.iter().map(|it| it["payload"]["delta"].as_str().unwrap()).collect();
        assert_eq!(told, text);
        assert!(deltas.len() > 1);
        for event in &events {
            assert!(event["payload"].to_string().len() <= 64 << 10);
        }
        assert_eq!(client.get(&format!("/messages/{id}")).ok()["text"], text);
    }
    let last = client.get(&format!("/messages/{id}")).ok()["sequence"].clone();
    assert_eq!(last, appended["sequence"]);
}

#[test]
fn what_is_too_large_for_an_event_is_referred_to() {
    let (_hub, client) = caller();
    let id = Message::begin_in(&client, &session(&client)).id;
    let long = "x".repeat(200_000);
    let started = json!({"task_type": "draw", "prompt": long});
    client.post(&format!("/messages/{id}/tasks"), &started).ok();
    let block = json!({"content_type": "image", "image": {"url": long, "alt": "a"}});
    let added = client.post(&format!("/messages/{id}/content"), &block).ok();
    let events = client.get(&format!("/messages/{id}/events")).ok()["events"].clone();
    for event in events.as_array().unwrap() {
        assert!(event["payload"].to_string().len() <= 64 << 10, "{}", event["event_type"]);
    }
    assert_eq!(events[1]["payload"]["ref"], format!("/api/v1/messages/{id}"));
    let shown = client.get(&format!("/messages/{id}")).ok();
    let tasks = shown["pending_tasks"].as_object().unwrap();
    assert_eq!(tasks.values().next().unwrap()["prompt"], long);
    let image = &shown["content_blocks"][1];
    assert_eq!(image["image"], json!({"alt": "a"}));
    let path = format!("/messages/{id}/content/{}", added["content_id"].as_str().unwrap());
    assert_eq!(image["ref"], format!("/api/v1{path}"));
    assert_eq!(client.get(&path).ok()["image"]["url"], long);
}

#[test]
fn a_message_shows_as_much_as_an_answer_holds() {
    let (_hub, client) = caller();
    let id = Message::begin_in(&client, &session(&client)).id;
    for n in 0..12 {
        let started = json!({"task_type": "draw", "prompt": "x".repeat(900_000), "n": n});
        client.post(&format!("/messages/{id}/tasks"), &started).ok();
    }
    let answer = client.get(&format!("/messages/{id}"));
    let shown = answer.ok();
    assert_eq!(shown["pending_tasks"].as_object().unwrap().len(), 12);
    assert!(answer.body.len() <= ANSWER_MAX, "{}", answer.body.len());
}

#[test]
fn sessions_with_much_metadata_are_listed_page_by_page() {
    let (_hub, client) = caller();
    let user = unique("user");
    let mut ids: Vec<String> = (0..300)
        .map(|_| {
            let body = json!({"user_id": user, "metadata": {"x": "x".repeat(16_000)}});
            client.post("/sessions", &body).ok()["session_id"].as_str().unwrap().to_owned()
        })
        .collect();
    ids.reverse();
    let path = format!("/sessions?user_id={user}&limit=1000");
    let (listed, pages) = all_pages(&client, &path, None);
    assert_eq!(names(&listed, "session_id"), ids);
    assert!(pages > 1, "{pages}");
}

#[test]
fn faults_are_bounded_as_well() {
    let (_hub, client) = caller();
    let mut body = registration(&unique("node"));
    body["available_skills"] = json!(vec![""; 300_000]);
    let problem = client.post("/nodes/register", &body).problem(422, "validation_failed");
    assert!((1..=100).contains(&problem["errors"].as_array().unwrap().len()));
    let odd = client.post("/tasks", &json!({"name": "n", "required_skills": vec![""; 300_000]}));
    assert!(odd.problem(422, "validation_failed")["errors"].as_array().unwrap().len() <= 100);
}

#[test]
fn a_batch_of_heartbeats_with_claims_is_answered() {
    let (_hub, client) = caller();
    let node = client.new_node("beats");
    let claims: Vec<Value> =
        (0..20).map(|n| json!({"task_id": format!("t{n}"), "token": "1-x"})).collect();
    let batch = vec![json!({"node_id": node, "claims": claims}); 1000];
    let answers = client.post("/heartbeats", &json!(batch)).list();
    assert_eq!(answers.len(), 1000);
    assert!(answers.iter().all(|it| it["revoked"].as_array().unwrap().len() == 20));
}
