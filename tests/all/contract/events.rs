//! `GET /cluster/events`: what happened, in order, after a cursor.

use serde_json::{Value, json};

use super::caller;
use super::lists::next_page;
use crate::harness::{Client, is_timestamp};

/// The cursor that stands behind everything that has happened so far.
pub fn end(client: &Client) -> String {
    let last = client.get("/cluster/events?latest=true&limit=1").ok();
    last["next"].as_str().unwrap().to_owned()
}

/// All that has happened after the cursor, however much others have done meanwhile.
#[track_caller]
pub fn since(client: &Client, cursor: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut path = Some(format!("/cluster/events?after={cursor}&limit=1000"));
    while let Some(current) = path {
        let answer = client.get(&current);
        let page = answer.ok();
        assert_eq!(page["gap"], Value::Null, "{current}");
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        path = next_page(&answer);
    }
    events
}

/// What happened to this node after the cursor: types in order.
fn types_of(client: &Client, node: &str, after: &str) -> Vec<String> {
    let events = since(client, after);
    events
        .iter()
        .filter(|event| event["payload"]["node_id"] == node)
        .map(|event| event["event_type"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_nodes_life_is_told_in_order() {
    let (_hub, client) = caller();
    let start = end(&client);
    let id = client.new_node("told");
    client.beat(&id, &json!({}));
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    client.beat(&id, &json!({}));
    let types = types_of(&client, &id, &start);
    assert_eq!(types[0], "node_registered", "{types:?}");
    let offline = types.iter().position(|it| it == "node_offline").expect("node_offline");
    let back = types.iter().rposition(|it| it == "node_online").expect("node_online");
    assert!(offline < back, "{types:?}");
    assert_eq!(types.iter().filter(|it| *it == "node_offline").count(), 1, "{types:?}");
}

#[test]
fn an_event_says_what_when_and_about_whom() {
    let (_hub, client) = caller();
    let start = end(&client);
    let id = client.new_node("eventful");
    let answer = client.get(&format!("/cluster/events?after={start}&limit=1000"));
    let page = answer.has_fields(&["events", "next", "gap"]);
    assert_eq!(page["gap"], Value::Null);
    let events = page["events"].as_array().unwrap();
    let event = events.iter().find(|event| event["payload"]["node_id"] == id).unwrap();
    assert_eq!(event.as_object().unwrap().len(), 4, "{event}");
    assert_eq!(event["event_type"], "node_registered");
    assert!(is_timestamp(&event["timestamp"]));
    assert_eq!(event["payload"]["hostname"], client.node(&id)["hostname"]);
    let (ms, n) = event["event_id"].as_str().unwrap().split_once('-').unwrap();
    assert!(ms.parse::<u64>().is_ok() && n.parse::<u64>().is_ok(), "{event}");
}

#[test]
fn pages_of_events_join_without_a_hole_or_a_repeat() {
    let (_hub, client) = caller();
    let start = end(&client);
    let nodes: Vec<_> = (0..5).map(|_| client.new_node("joined")).collect();
    let mut cursor = start;
    let mut seen = Vec::new();
    loop {
        let page = client.get(&format!("/cluster/events?after={cursor}&limit=2")).ok();
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 2);
        let Some(last) = events.last() else { break };
        assert_eq!(page["next"], last["event_id"], "the next page begins behind this one");
        cursor = last["event_id"].as_str().unwrap().to_owned();
        seen.extend(
            events
                .iter()
                .filter(|event| event["event_type"] == "node_registered")
                .map(|event| event["payload"]["node_id"].as_str().unwrap().to_owned()),
        );
    }
    seen.retain(|id| nodes.contains(id));
    assert_eq!(seen, nodes);
}

#[test]
fn the_last_are_read_without_those_before() {
    let (_hub, client) = caller();
    let nodes: Vec<_> = (0..300).map(|_| client.new_node("late")).collect();
    for limit in [1, 250, 251, 300, 1000] {
        let last = client.get(&format!("/cluster/events?latest=true&limit={limit}")).ok();
        let events = last["events"].as_array().unwrap();
        assert!((limit.min(nodes.len())..=limit).contains(&events.len()), "{}", events.len());
        let newest = &events[events.len() - 1]["event_id"];
        assert_eq!((&last["next"], &last["gap"]), (newest, &Value::Null));
        // They are what a cursor finds, from the first of them to the last.
        let first = events[0]["event_id"].as_str().unwrap();
        let after = client.get(&format!("/cluster/events?after={first}&limit=1000")).ok();
        assert_eq!(&after["events"].as_array().unwrap()[..events.len() - 1], &events[1..]);
    }
    // Nothing that the reader has comes again, and what follows begins where it ends.
    let last = client.get("/cluster/events?latest=true&limit=300").ok();
    let known = last["events"][298]["event_id"].as_str().unwrap();
    let rest = client.get(&format!("/cluster/events?latest=true&limit=1000&after={known}")).ok();
    assert_eq!(rest["events"][0], last["events"][299]);
}

#[test]
fn bad_parameters_are_named() {
    let (_hub, client) = caller();
    for (field, query) in [
        ("after", "after=yesterday"),
        ("after", "after=1-2-3"),
        ("limit", "limit=0"),
        ("limit", "limit=1001"),
        ("limit", "limit=x"),
        ("latest", "latest=yes"),
    ] {
        let answer = client.get(&format!("/cluster/events?{query}"));
        answer.problem_with(400, "invalid_parameter", field);
    }
    let answer = client.get("/cluster/leader/history?limit=1001");
    answer.problem_with(400, "invalid_parameter", "limit");
}
