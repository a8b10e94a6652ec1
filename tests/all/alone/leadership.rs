//! The elected leader of the nodes: campaign, renewal, resignation, loss, history.

use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, eventually, race, registration};

/// A hub with nodes of these names.
fn hub_with(nodes: &[&str]) -> (Hub, Client) {
    let hub = Hub::start();
    let client = hub.admin();
    for node in nodes {
        let mut body = registration(node);
        body["node_id"] = json!(node);
        client.post("/nodes/register", &body).ok();
    }
    (hub, client)
}

fn campaign(client: &Client, node: &str, ttl_ms: u64) -> Value {
    let body = json!({"node_id": node, "ttl_ms": ttl_ms});
    client.post("/cluster/leader/campaign", &body).ok()
}

fn leader(client: &Client) -> Value {
    client.get("/cluster/leader").ok()
}

fn no_leader(client: &Client) -> bool {
    leader(client)["leader"].is_null()
}

fn history(client: &Client) -> Vec<(String, String, u64)> {
    let entries = client.get("/cluster/leader/history").list();
    let entry = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        (text("event"), text("node_id"), entry["term"].as_u64().unwrap())
    };
    entries.iter().map(entry).collect()
}

fn told(event: &str, node: &str, term: u64) -> (String, String, u64) {
    (event.to_owned(), node.to_owned(), term)
}

#[test]
fn the_first_to_campaign_leads_and_holds_off_the_others() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    let none = client.get("/cluster/leader").has_fields(&["leader", "term", "ttl_ms"]);
    assert_eq!((&none["leader"], &none["ttl_ms"]), (&Value::Null, &json!(0)));

    let won = campaign(&client, "alpha", 60_000);
    assert_eq!(won["is_leader"], true);
    assert_eq!(won["leader"], "alpha");
    let term = won["term"].as_u64().unwrap();
    assert!(term > none["term"].as_u64().unwrap());

    let lost = campaign(&client, "beta", 60_000);
    assert_eq!(lost["is_leader"], false);
    assert_eq!((&lost["leader"], &lost["term"]), (&json!("alpha"), &json!(term)));
    assert!((1..=60_000).contains(&lost["ttl_ms"].as_u64().unwrap()), "{lost}");

    let renewed = campaign(&client, "alpha", 50_000);
    assert_eq!((&renewed["is_leader"], &renewed["term"]), (&json!(true), &json!(term)));
    assert!((40_000..=50_000).contains(&renewed["ttl_ms"].as_u64().unwrap()), "{renewed}");

    let now = leader(&client);
    assert_eq!((&now["leader"], &now["term"]), (&json!("alpha"), &json!(term)));
    let node = client.new_node("follower");
    let beat = client.beat(&node, &json!({}));
    assert_eq!((&beat["leader"], &beat["term"]), (&json!("alpha"), &json!(term)));
    assert_eq!(history(&client), [told("elected", "alpha", term)], "a renewal in time is no news");
}

#[test]
fn the_time_to_live_is_30_seconds_unless_told() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    let body = json!({"node_id": "alpha"});
    let ttl = client.post("/cluster/leader/campaign", &body).ok()["ttl_ms"].as_u64().unwrap();
    assert!((29_000..=30_000).contains(&ttl), "{ttl}");
}

#[test]
fn of_many_at_once_one_wins() {
    const CANDIDATES: usize = 12;
    let names: Vec<String> = (0..CANDIDATES).map(|n| format!("candidate-{n}")).collect();
    let (_hub, client) = hub_with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let answers = race(CANDIDATES, |number| campaign(&client, &names[number], 60_000));
    assert_eq!(answers.iter().filter(|answer| answer["is_leader"] == true).count(), 1);
    assert!(answers.iter().all(|answer| answer["leader"] == answers[0]["leader"]));
    assert!(answers.iter().all(|answer| answer["term"] == answers[0]["term"]));
}

#[test]
fn a_leader_resigns_with_its_term_and_only_with_that() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    let term = campaign(&client, "alpha", 60_000)["term"].as_u64().unwrap();
    let resign = |node: &str, term: u64| {
        client.post("/cluster/leader/resign", &json!({"node_id": node, "term": term}))
    };
    resign("alpha", term + 1).problem(409, "fenced");
    resign("alpha", term - 1).problem(409, "fenced");
    resign("beta", term).problem(409, "fenced");
    assert_eq!(leader(&client)["leader"], "alpha");

    let answer = resign("alpha", term).has_fields(&["success", "leader", "term"]);
    assert_eq!(answer, json!({"success": true, "leader": null, "term": term}));
    assert!(no_leader(&client));
    resign("alpha", term).problem(409, "fenced");

    let next = campaign(&client, "alpha", 60_000)["term"].as_u64().unwrap();
    assert_eq!(next, term + 1, "after a resignation even the same node leads a new term");
    let expected = [
        told("elected", "alpha", next),
        told("resigned", "alpha", term),
        told("elected", "alpha", term),
    ];
    assert_eq!(history(&client), expected);
}

#[test]
fn a_lease_that_ran_out_goes_to_the_next_with_a_new_term() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    let term = campaign(&client, "alpha", 300)["term"].as_u64().unwrap();
    eventually("the end of the lease", PATIENCE, || no_leader(&client).then_some(()));
    let next = campaign(&client, "beta", 60_000);
    assert_eq!((&next["is_leader"], &next["term"]), (&json!(true), &json!(term + 1)));
    let body = json!({"node_id": "alpha", "term": term});
    client.post("/cluster/leader/resign", &body).problem(409, "fenced");
    let told_now = history(&client);
    assert_eq!(told_now[0], told("elected", "beta", term + 1));
    assert!(told_now.contains(&told("lost", "alpha", term)), "{told_now:?}");
}

#[test]
fn a_holder_that_comes_late_goes_on_in_its_term() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    let term = campaign(&client, "alpha", 200)["term"].as_u64().unwrap();
    eventually("the end of the lease", PATIENCE, || no_leader(&client).then_some(()));
    let late = campaign(&client, "alpha", 60_000);
    assert_eq!((&late["is_leader"], &late["term"]), (&json!(true), &json!(term)));
    assert_eq!(history(&client)[0], told("renewed-late", "alpha", term));
}

#[test]
fn old_readers_find_the_leader_where_they_look() {
    let (hub, client) = hub_with(&["alpha", "beta"]);
    campaign(&client, "alpha", 60_000);
    let mut redis = hub.private_redis();
    let lock: String =
        redis::cmd("GET").arg("openclaw:cluster:leader_lock").query(&mut redis).unwrap();
    let (node, ms) = lock.split_once(':').unwrap_or_else(|| panic!("{lock}"));
    assert_eq!(node, "alpha");
    assert!(ms.parse::<u64>().is_ok(), "{lock}");
    let ttl: i64 =
        redis::cmd("PTTL").arg("openclaw:cluster:leader_lock").query(&mut redis).unwrap();
    assert!((1..=60_000).contains(&ttl), "{ttl}");
    let history: Vec<String> = redis::cmd("LRANGE")
        .arg("openclaw:cluster:leader_history")
        .arg(0)
        .arg(-1)
        .query(&mut redis)
        .unwrap();
    assert!(history.iter().any(|entry| entry.contains("alpha")), "{history:?}");
}

#[test]
fn each_change_of_leader_is_an_event() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    campaign(&client, "alpha", 200);
    eventually("the end of the lease", PATIENCE, || no_leader(&client).then_some(()));
    campaign(&client, "beta", 60_000);
    campaign(&client, "beta", 60_000);
    let page = client.get("/cluster/events").ok();
    let events = page["events"].as_array().unwrap().iter();
    let changes: Vec<_> = events
        .filter(|event| event["event_type"] == "leader_changed")
        .map(|event| event["payload"]["leader"].clone())
        .filter(|leader| !leader.is_null())
        .collect();
    assert_eq!(changes, [json!("alpha"), json!("beta")]);
}

#[test]
fn the_history_is_cut_as_asked() {
    let (_hub, client) = hub_with(&["alpha", "beta"]);
    for _ in 0..3 {
        let term = campaign(&client, "alpha", 60_000)["term"].clone();
        let body = json!({"node_id": "alpha", "term": term});
        client.post("/cluster/leader/resign", &body).ok();
    }
    assert_eq!(history(&client).len(), 6);
    let last = client.get("/cluster/leader/history?limit=2").list();
    assert_eq!(last.len(), 2);
    assert_eq!((&last[0]["event"], &last[1]["event"]), (&json!("resigned"), &json!("elected")));
    assert_eq!((&last[0]["is_leader"], &last[1]["is_leader"]), (&json!(false), &json!(true)));
}

#[test]
fn a_repeated_resignation_is_answered_again() {
    let (_hub, admin) = hub_with(&["alpha"]);
    let client = admin.with("idempotency-key", "resign-once");
    let term = campaign(&admin, "alpha", 60_000)["term"].clone();
    let body = json!({"node_id": "alpha", "term": term});
    let first = client.post("/cluster/leader/resign", &body);
    first.ok();
    let second = client.post("/cluster/leader/resign", &body);
    assert_eq!(second.ok(), first.ok());
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
}
