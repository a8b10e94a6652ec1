//! Tasks that are found by name, label, time and error (contract.md §5).

use serde_json::{Value, json};

use super::lists::next as next_page;
use super::{Desk, id_of};
use crate::contract::agents::new_agent;
use crate::contract::{caller, hub};
use crate::harness::{Client, PATIENCE, eventually, unique};

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// All that a query finds, page by page, and how many tasks were looked at.
#[track_caller]
fn found(client: &Client, query: &str) -> (Vec<String>, i64) {
    let mut path = Some(format!("/tasks?{query}"));
    let (mut ids, mut scanned) = (Vec::new(), 0);
    while let Some(at) = path {
        let answer = client.get(&at);
        scanned += answer.header("reef-scanned").unwrap().parse::<i64>().unwrap();
        path = next_page(&answer);
        ids.extend(answer.list().iter().map(id_of));
    }
    (ids, scanned)
}

#[track_caller]
fn ids(client: &Client, query: &str) -> Vec<String> {
    found(client, query).0
}

#[test]
fn tasks_are_found_by_name_and_labels() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let (name, run) = (unique("a name: {}*"), unique("run"));
    let one = desk.submit(json!({"name": name, "labels": {"run": run, "team": "red"}}));
    let two = desk.submit(json!({"name": name, "labels": {"run": run, "team": "blue"}}));
    let other = desk.submit(json!({"labels": {"team": run, "run": "red"}}));
    let by_name = format!("name={}", encoded(&name));
    assert_eq!(ids(&client, &by_name), [two.as_str(), &one]);
    assert_eq!(ids(&client, &format!("label=run:{run}")), [two.as_str(), &one]);
    assert_eq!(ids(&client, &format!("label=run:{run},team:red")), [one.as_str()]);
    assert_eq!(ids(&client, &format!("{by_name}&label=team:blue&status=pending")), [two.as_str()]);
    assert_eq!(ids(&client, &format!("label=team:{run}")), [other.as_str()]);
    assert!(ids(&client, &format!("label=run:{run}%3Dx")).is_empty());

    // Words that are edited away find nothing, and those that come do.
    let new = unique("new");
    client.patch(&format!("/tasks/{one}"), &json!({"name": new, "labels": {"run": new}})).ok();
    assert_eq!(ids(&client, &by_name), [two.as_str()]);
    assert_eq!(ids(&client, &format!("label=run:{run}")), [two.as_str()]);
    assert_eq!(ids(&client, &format!("label=run:{new}&name={new}")), [one.as_str()]);

    // They are found once they have ended, as long as they are kept.
    for id in [&one, &two] {
        client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    }
    assert_eq!(ids(&client, &format!("label=run:{new}")), [one.as_str()]);
    client.post_empty(&format!("/tasks/{one}/retry")).ok();
    assert_eq!(ids(&client, &format!("label=run:{new}&status=pending")), [one.as_str()]);
    client.delete(&format!("/tasks/{two}")).ok();
    assert!(ids(&client, &by_name).is_empty());
    assert!(ids(&client, &format!("label=run:{run}")).is_empty());
}

#[test]
fn many_labels_survive_an_end_and_a_retry() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let run = unique("run");
    let labels: Value = (0..8)
        .map(|n| (format!("k{n}"), json!(format!("{run}={n}:{}", "ü".repeat(90)))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let large = "x".repeat(20_000);
    for parameters in [json!({}), json!({"large": large})] {
        let id = desk.submit(json!({"labels": labels, "parameters": parameters}));
        let query = format!("label=k7:{}", encoded(labels["k7"].as_str().unwrap()));
        for verb in ["cancel", "retry", "cancel"] {
            client.post_empty(&format!("/tasks/{id}/{verb}")).ok();
            assert_eq!(desk.task(&id)["labels"], labels);
            assert_eq!(ids(&client, &query), [id.as_str()]);
        }
        client.post_empty(&format!("/tasks/{id}/retry")).ok();
        client.patch(&format!("/tasks/{id}"), &json!({"labels": {}})).ok();
        assert!(ids(&client, &query).is_empty());
        client.post_empty(&format!("/tasks/{id}/cancel")).ok();
        client.delete(&format!("/tasks/{id}")).ok();
    }
}

#[test]
fn tasks_are_found_by_when_they_were_submitted() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let run = unique("run");
    let submitted: Vec<(String, String)> = (0..5)
        .map(|_| {
            let task = desk.submit_with(json!({"labels": {"run": run}}));
            // Two of one millisecond could not be told apart.
            let at = task["submitted_at"].as_str().unwrap().to_owned();
            eventually("a later time", PATIENCE, || {
                let later = desk.submit_with(json!({"delay_ms": 3_600_000}));
                (later["submitted_at"].as_str()? > at.as_str()).then_some(())
            });
            (id_of(&task), at)
        })
        .collect();
    let window = |since: usize, until: usize| {
        let query =
            format!("label=run:{run}&since={}&until={}", submitted[since].1, submitted[until].1);
        ids(&client, &query)
    };
    assert_eq!(window(1, 3), [submitted[2].0.as_str(), &submitted[1].0]);
    assert!(window(3, 3).is_empty());
    assert_eq!(ids(&client, &format!("label=run:{run}&since=2001-01-01T00:00:00Z")).len(), 5);
    assert!(ids(&client, &format!("label=run:{run}&since=2901-01-01T00:00:00Z")).is_empty());
    assert!(ids(&client, &format!("label=run:{run}&until=2001-01-01T00:00:00Z")).is_empty());
    // Page by page, too.
    let query =
        format!("label=run:{run}&since={}&until={}&limit=1", submitted[1].1, submitted[4].1);
    assert_eq!(ids(&client, &query).len(), 3);
}

#[test]
fn tasks_are_found_by_what_went_wrong() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let run = unique("run");
    let node = desk.node(5);
    for error in ["429: rate limit", "timeout of the provider", &"%a+.*[".repeat(100)] {
        desk.submit(json!({"labels": {"run": run}}));
        let held = desk.claim_one(&node);
        desk.post(&held, "fail", json!({"error": error, "retryable": false})).ok();
    }
    let with = |text: &str| found(&client, &format!("label=run:{run}&error~={}", encoded(text)));
    assert_eq!(with("rate limit").0.len(), 1);
    assert_eq!(with("provider").0.len(), 1);
    // No pattern: a text as it is written.
    assert_eq!(with("%a+.*[").0.len(), 1);
    assert_eq!(with(".").0.len(), 1);
    let (none, scanned) = with("no such thing");
    assert_eq!((none.len(), scanned), (0, 3));
}

#[test]
fn a_page_ends_when_it_has_looked_at_much() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let run = unique("run");
    let node = desk.node(50);
    let error = "a".repeat(10_000);
    for _ in 0..40 {
        desk.submit(json!({"labels": {"run": run}}));
    }
    for held in desk.claim(&node) {
        desk.post(&held, "fail", json!({"error": error, "retryable": false})).ok();
    }
    let text = format!("{}b", "a".repeat(63));
    let first = client.get(&format!("/tasks?label=run:{run}&error~={text}"));
    let scanned: i64 = first.header("reef-scanned").unwrap().parse().unwrap();
    assert!((20..40).contains(&scanned), "{scanned}");
    assert!(next_page(&first).is_some());
    assert_eq!(found(&client, &format!("label=run:{run}&error~={text}")), (Vec::new(), 40));
}

#[test]
fn what_is_no_filter_is_refused() {
    let (_hub, client) = caller();
    for (query, name) in [
        ("label=team", "label"),
        ("label=a%20b:c", "label"),
        ("label=a:1,a:2", "label"),
        ("since=yesterday", "since"),
        ("until=2026-02-30T00:00:00Z", "until"),
        ("status_filter=odd", "status_filter"),
    ] {
        let problem = client.get(&format!("/tasks?{query}")).problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["field"], name, "{query}");
    }
    let many = (0..1000).map(|n| format!("k{n}:v")).collect::<Vec<_>>().join(",");
    client.get(&format!("/tasks?label={many}")).problem(400, "invalid_parameter");
    client.get(&format!("/tasks?error~={}", "e".repeat(65))).problem(400, "invalid_parameter");
    client.get(&format!("/tasks?name={}", "n".repeat(256))).problem(400, "invalid_parameter");
}

#[test]
fn nobody_finds_somebody_else_s_tasks() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let run = unique("run");
    let id = Desk::new(&alice.client).submit(json!({"name": run, "labels": {"run": run}}));
    for query in
        [format!("name={run}"), format!("label=run:{run}"), format!("label=run:{run}&error~=x")]
    {
        assert_eq!(found(&bob.client, &query), (Vec::new(), 0), "{query}");
    }
    assert_eq!(ids(&hub.client, &format!("name={run}&label=run:{run}")), [id.as_str()]);
}
