//! Logs of tasks (contract.md §5).

use serde_json::{Value, json};

use super::super::agents::{Agent, new_agent};
use super::{Desk, Held};
use crate::contract::{Subject, hub};
use crate::harness::{Answer, Client, unique};

/// An agent, its desk, and a node of its own.
struct Scene {
    hub: Subject,
    agent: Agent,
    desk: Desk,
    node: String,
}

impl Scene {
    fn new() -> Self {
        let hub = hub();
        let agent = new_agent(&hub);
        let desk = Desk::new(&agent.client);
        let node = desk.node(20);
        Self { hub, agent, desk, node }
    }

    #[track_caller]
    fn begin(&self) -> Held {
        let id = self.desk.submit(json!({}));
        let held = self.desk.claim_one(&self.node);
        assert_eq!(held.id, id);
        held
    }

    fn write(&self, held: &Held, texts: &[&str]) -> Answer {
        self.desk.post(held, "log", json!({ "lines": lines(texts) }))
    }

    #[track_caller]
    fn read(&self, id: &str, query: &str) -> Value {
        self.desk.client.get(&format!("/tasks/{id}/log{query}")).ok()
    }
}

fn lines(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!({ "text": text })).collect()
}

fn texts(log: &Value) -> Vec<&str> {
    log["lines"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect()
}

fn cursor(log: &Value) -> &str {
    log["cursor"].as_str().unwrap()
}

#[test]
fn a_log_is_read_page_by_page_and_from_its_end() {
    let scene = Scene::new();
    let id = scene.desk.submit(json!({}));
    let empty = scene.read(&id, "");
    let nothing = json!({"success": true, "lines": [], "cursor": "0", "has_more": false, "gap": null,
        "status": "pending"});
    assert_eq!(empty, nothing);
    let held = scene.desk.claim_one(&scene.node);
    let said = json!([
        {"text": "one", "level": "warn", "at": "2026-02-04T04:58:14.123Z"},
        {"text": "two", "stream": "stdout"},
        {"text": "three", "stream": "stderr", "level": "error"},
    ]);
    let written = scene.desk.post(&held, "log", json!({ "lines": said })).ok();
    assert_eq!((&written["success"], &written["dropped"]), (&json!(true), &json!(0)));
    let all = scene.read(&held.id, "");
    assert_eq!(texts(&all), ["one", "two", "three"]);
    assert_eq!((&all["cursor"], &all["has_more"]), (&written["cursor"], &json!(false)));
    let first = &all["lines"][0];
    assert_eq!(first["at"], "2026-02-04T04:58:14.123Z");
    assert_eq!(
        (&first["attempt"], &first["level"], &first["stream"]),
        (&json!(1), &json!("warn"), &json!(null))
    );
    assert_eq!(all["lines"][2]["stream"], "stderr");
    assert_eq!(all["status"], "running");

    let page = scene.read(&held.id, "?limit=2");
    assert_eq!((texts(&page), &page["has_more"]), (vec!["one", "two"], &json!(true)));
    let rest = scene.read(&held.id, &format!("?after={}", cursor(&page)));
    assert_eq!((texts(&rest), &rest["has_more"]), (vec!["three"], &json!(false)));
    let none = scene.read(&held.id, &format!("?after={}", cursor(&rest)));
    assert_eq!((texts(&none), cursor(&none)), (vec![], cursor(&rest)));
    assert_eq!(texts(&scene.read(&held.id, "?tail=2")), ["two", "three"]);
    scene.desk.post(&held, "complete", json!({})).ok();
    assert_eq!(scene.read(&held.id, "?tail=1")["status"], "completed");

    let path = format!("/tasks/{}/log", held.id);
    let client = &scene.desk.client;
    for (query, name) in [
        ("?after=x", "after"),
        ("?after=-", "after"),
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?tail=0", "tail"),
        ("?tail=1001", "tail"),
        ("?tail=x", "tail"),
        ("?tail=1&after=0", "tail"),
    ] {
        let refused = client.get(&format!("{path}{query}"));
        refused.problem_with(400, "invalid_parameter", name);
    }
}

#[test]
fn only_the_claim_that_holds_a_task_writes_to_its_log() {
    let scene = Scene::new();
    let held = scene.begin();
    scene.write(&held, &["first try"]).ok();
    scene.desk.post(&held, "fail", json!({"error": "again", "retry_in_ms": 0})).ok();
    // Nobody holds it.
    scene.write(&held, &["too late"]).problem(409, "fenced");
    let again = scene.desk.claim_one(&scene.node);
    scene.write(&held, &["much too late"]).problem(409, "fenced");
    scene.write(&again, &["second try"]).ok();
    scene.write(&held, &["much too late"]).problem(409, "fenced");
    let forged = Held { token: "99999999999-x".to_owned(), ..held.clone() };
    scene.write(&forged, &["forged"]).problem(409, "fenced");
    scene.desk.post(&again, "complete", json!({})).ok();
    scene.write(&again, &["after the end"]).problem(409, "fenced");
    let log = scene.read(&held.id, "");
    assert_eq!(texts(&log), ["first try", "second try"]);
    let attempts: Vec<_> =
        log["lines"].as_array().unwrap().iter().map(|it| &it["attempt"]).collect();
    assert_eq!(attempts, [&json!(1), &json!(2)]);
    scene.write(&Held { id: unique("none"), ..held }, &["x"]).problem(404, "not_found");
}

#[test]
fn a_lease_that_has_run_out_writes_nothing() {
    let scene = Scene::new();
    let id = scene.desk.submit(json!({}));
    let held = scene.desk.claim_for(&scene.node, 2_000);
    scene.write(&held, &["in time"]).ok();
    crate::harness::eventually("the end of the lease", crate::harness::PATIENCE, || {
        (scene.write(&held, &["?"]).status == 409).then_some(())
    });
    scene.write(&held, &["too late"]).problem(409, "fenced");
    assert!(!texts(&scene.read(&id, "")).contains(&"too late"));
}

#[test]
fn numbered_lines_may_be_sent_again() {
    let scene = Scene::new();
    let held = scene.begin();
    let send = |seq: u64, texts: &[&str]| {
        scene.desk.post(&held, "log", json!({"seq": seq, "lines": lines(texts)})).ok()
    };
    let first = send(0, &["0", "1"]);
    assert_eq!(send(0, &["0", "1"])["cursor"], first["cursor"]);
    // A repeat of some of them.
    send(1, &["1", "2", "3"]);
    // What was dropped on the way is a gap in the numbers, and no fault.
    send(9, &["9"]);
    send(9, &["9"]);
    scene.write(&held, &["next"]).ok();
    send(10, &["next again"]);
    assert_eq!(texts(&scene.read(&held.id, "")), ["0", "1", "2", "3", "9", "next"]);
    // The next claim counts anew.
    scene.desk.post(&held, "fail", json!({"error": "again", "retry_in_ms": 0})).ok();
    let held = scene.desk.claim_one(&scene.node);
    scene.desk.post(&held, "log", json!({"seq": 0, "lines": lines(&["anew"])})).ok();
    assert_eq!(texts(&scene.read(&held.id, "?tail=1")), ["anew"]);
}

#[test]
fn a_request_with_an_idempotency_key_is_answered_as_before() {
    let scene = Scene::new();
    let held = scene.begin();
    let keyed = scene.desk.client.with("idempotency-key", &unique("key"));
    let path = format!("/tasks/{}/log", held.id);
    let body = json!({"token": held.token, "lines": lines(&["once"])});
    let first = keyed.post(&path, &body).ok();
    assert_eq!(keyed.post(&path, &body).ok(), first);
    assert_eq!(texts(&scene.read(&held.id, "")), ["once"]);
}

#[test]
fn what_a_line_says_is_kept_but_for_what_a_terminal_obeys() {
    let scene = Scene::new();
    let held = scene.begin();
    let hostile = [
        "",
        "\ttab and \u{1b}[31mred\u{1b}[0m",
        "<script>alert(1)</script> 日本語 👩\u{200d}💻",
        "{\"text\":\"json\"}\\ '; DROP",
        "\u{202e}turned\u{2066}",
        "\u{2028}\u{2029}",
    ];
    scene.write(&held, &hostile).ok();
    scene.write(&held, &["a\0\r\nid: 7\n\nevent: end\u{7}\u{8}\u{7f}\u{9b}2J"]).ok();
    let log = scene.read(&held.id, "");
    assert_eq!(texts(&log)[..hostile.len()], hostile);
    assert_eq!(texts(&log)[hostile.len()], "a␀␍␊id: 7␊␊event: end␇␈␡\u{fffd}2J");
    // What is no UTF-8 is no JSON.
    let path = format!("/tasks/{}/log", held.id);
    let mut raw = format!(r#"{{"token":"{}","lines":[{{"text":""#, held.token).into_bytes();
    raw.extend(b"\xff\"}]}");
    let answer = scene.desk.client.send("POST", &path, Some(&raw));
    assert!((400..500).contains(&answer.status), "{answer}");
    assert_eq!(scene.read(&held.id, "")["lines"].as_array().unwrap().len(), hostile.len() + 1);
}

#[test]
fn what_breaks_a_rule_names_the_field_and_writes_nothing() {
    let scene = Scene::new();
    let held = scene.begin();
    let long = "é".repeat(4097);
    for (body, field) in [
        (json!({}), "lines"),
        (json!({"lines": []}), "lines"),
        (json!({"lines": vec![json!({"text": "x"}); 101]}), "lines"),
        (json!({"lines": [{"text": "x"}, {}]}), "lines[1].text"),
        (json!({"lines": [{"text": long}]}), "lines[0].text"),
        (json!({"lines": [{"text": "x", "at": "yesterday"}]}), "lines[0].at"),
        (json!({"lines": [{"text": "x", "at": "2026-02-30T00:00:00Z"}]}), "lines[0].at"),
        (json!({"lines": [{"text": "x", "level": "loud"}]}), "lines[0].level"),
        (json!({"lines": [{"text": "x", "stream": "stdin"}]}), "lines[0].stream"),
        (json!({"lines": [{"text": "x"}], "seq": -1}), "seq"),
    ] {
        scene.desk.post(&held, "log", body).problem_with(422, "validation_failed", field);
    }
    let path = format!("/tasks/{}/log", held.id);
    scene.desk.client.post(&path, &json!({"lines": [{"text": "x"}]})).problem_with(
        422,
        "validation_failed",
        "token",
    );
    assert_eq!(texts(&scene.read(&held.id, "")), Vec::<&str>::new());
    scene.write(&held, &["é".repeat(4096).as_str()]).ok();
}

#[test]
fn a_log_keeps_its_last_lines_and_says_what_is_missing() {
    let scene = Scene::new();
    let held = scene.begin();
    let numbered: Vec<String> = (0..2300).map(|n| n.to_string()).collect();
    let mut dropped = 0;
    let mut early = String::new();
    for batch in numbered.chunks(100) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        let answer = scene.write(&held, &batch).ok();
        dropped += answer["dropped"].as_i64().unwrap();
        if early.is_empty() {
            early = cursor(&answer).to_owned();
        }
    }
    assert_eq!(dropped, 300);
    let first = scene.read(&held.id, "?limit=1000");
    assert_eq!((texts(&first)[0], texts(&first).len()), ("300", 1000));
    assert_eq!(first["gap"]["from"], "0");
    let late = scene.read(&held.id, &format!("?after={early}&limit=1"));
    assert_eq!(late["gap"]["from"], early);
    // Where the gap ends is a place: nothing is missing behind it.
    let to = late["gap"]["to"].as_str().unwrap();
    let on = scene.read(&held.id, &format!("?after={to}&limit=1"));
    assert_eq!((texts(&on), &on["gap"]), (vec!["300"], &json!(null)));
    assert_eq!(scene.read(&held.id, "?tail=1")["gap"], json!(null));

    // A few long lines weigh as much as many short ones.
    let held = scene.begin();
    let long = "x".repeat(4000);
    let batch = vec![long.as_str(); 100];
    for _ in 0..4 {
        scene.write(&held, &batch).ok();
    }
    let kept = texts(&scene.read(&held.id, "?limit=1000")).len();
    assert_eq!(kept, (1 << 20) / (4000 + 64));
}

#[test]
fn a_log_is_read_by_the_tasks_owner_its_runner_and_the_admin_alone() {
    let scene = Scene::new();
    if !scene.hub.wants_keys {
        return;
    }
    let runner = new_agent(&scene.hub);
    let theirs = Desk { client: runner.client.clone(), skill: scene.desk.skill.clone() };
    let node = theirs.node(1);
    let body = json!({"audience": [runner.id], "target_node": node});
    let id = scene.desk.submit(body);
    let held = theirs.claim_one(&node);
    assert_eq!(held.id, id);
    theirs.post(&held, "log", json!({ "lines": lines(&["said"]) })).ok();
    // The owner does not run it.
    scene.write(&held, &["not mine"]).problem(403, "forbidden");
    let path = format!("/tasks/{id}/log");
    let sees = |client: &Client| client.get(&path).status;
    let stranger = new_agent(&scene.hub);
    assert_eq!(sees(&scene.agent.client), 200);
    assert_eq!(sees(&runner.client), 200);
    assert_eq!(sees(&scene.hub.client), 200);
    stranger.client.get(&path).problem(404, "not_found");
}

#[test]
fn a_log_goes_with_its_task_and_another_of_the_same_id_has_its_own() {
    let scene = Scene::new();
    let id = unique("task");
    let mut tokens = Vec::new();
    for round in ["first", "second"] {
        scene.desk.submit(json!({ "task_id": id }));
        let held = scene.desk.claim_one(&scene.node);
        tokens.push(held.clone());
        assert_eq!(texts(&scene.read(&id, "")), Vec::<&str>::new(), "{round}");
        scene.write(&held, &[round]).ok();
        assert_eq!(texts(&scene.read(&id, "")), [round]);
        scene.desk.post(&held, "complete", json!({})).ok();
        scene.desk.client.delete(&format!("/tasks/{id}")).ok();
        scene.desk.client.get(&format!("/tasks/{id}/log")).problem(404, "not_found");
    }
    scene.desk.submit(json!({ "task_id": id }));
    scene.write(&tokens[0], &["of the first"]).problem(409, "fenced");
    assert_eq!(texts(&scene.read(&id, "")), Vec::<&str>::new());
}
