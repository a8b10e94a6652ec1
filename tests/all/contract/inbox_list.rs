//! The list of inboxes (contract.md §4).

use serde_json::{Value, json};

use super::agents::new_agent;
use super::{Desk, hub};
use crate::harness::{Client, is_timestamp, unique};

fn send(client: &Client, from: &str, to: &str, priority: &str) -> Value {
    let body = json!({"from": from, "content": "x", "priority": priority});
    client.post(&format!("/inbox/{to}"), &body).ok()
}

/// All pages of a list, so many to a page.
fn inboxes(client: &Client, limit: usize) -> Vec<Value> {
    let (mut all, mut query) = (Vec::new(), String::new());
    loop {
        let answer = client.get(&format!("/inboxes?limit={limit}{query}"));
        let page = answer.has_fields(&["success", "inboxes", "next_cursor", "has_more"]);
        let found = page["inboxes"].as_array().unwrap();
        assert!(found.len() <= limit, "{page}");
        all.extend(found.iter().cloned());
        assert_eq!(answer.header("link").is_some(), page["has_more"].as_bool().unwrap());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        query = format!("&cursor={next}");
        assert!(answer.header("link").unwrap().contains(next), "{answer}");
    }
}

fn of<'v>(all: &'v [Value], agent: &str) -> Vec<&'v Value> {
    all.iter().filter(|inbox| inbox["agent"] == agent).collect()
}

#[test]
fn an_agent_sees_its_own_inboxes_with_what_is_in_them() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let nodes: Vec<String> = (0..3).map(|_| Desk::new(&alice.client).node(1)).collect();
    assert_eq!(inboxes(&alice.client, 10), Vec::<Value>::new());
    send(&bob.client, &bob.id, &nodes[0], "low");
    send(&bob.client, &bob.id, &nodes[2], "low");
    let sent = ["low", "high", "medium"].map(|it| send(&bob.client, &bob.id, &alice.id, it));
    assert_eq!(sent[2]["depth"], 3);
    let receive = format!("/inbox/{}/receive", alice.id);
    alice.client.post(&receive, &json!({"limit": 1, "lease_ms": 600_000})).ok();
    for limit in [1, 2, 10] {
        let seen = inboxes(&alice.client, limit);
        let names: Vec<&str> = seen.iter().map(|inbox| inbox["agent"].as_str().unwrap()).collect();
        // Its own first, then those of its nodes to which mail came, the newest node first.
        assert_eq!(names, [alice.id.as_str(), &nodes[2], &nodes[0]], "{limit}");
        let own = &seen[0];
        let counts = ["waiting", "in_flight", "dead"].map(|name| own[name].as_i64().unwrap());
        assert_eq!(counts, [2, 1, 0], "{own}");
        assert!(is_timestamp(&own["oldest_at"]), "{own}");
    }
    // Bob has sent mail, and got none.
    assert_eq!(inboxes(&bob.client, 10), Vec::<Value>::new());
    // Who administers sees all of them, each once.
    let all = inboxes(&hub.client, 1000);
    assert_eq!(of(&all, &nodes[0])[0]["waiting"], 1);
    let [own] = of(&all, &alice.id)[..] else { panic!("{all:?}") };
    assert_eq!(own["in_flight"], 1);
}

#[test]
fn what_was_received_and_not_acknowledged_waits_again_in_the_list() {
    let hub = hub();
    let agent = unique("agent");
    let sent = send(&hub.client, "tester", &agent, "medium");
    let body = json!({"lease_ms": 60_000});
    let got = hub.client.post(&format!("/inbox/{agent}/receive"), &body).ok();
    let count = || {
        let all = inboxes(&hub.client, 1000);
        let [found] = of(&all, &agent)[..] else { panic!("{agent}: {all:?}") };
        (
            found["waiting"].as_i64().unwrap(),
            found["in_flight"].as_i64().unwrap(),
            found["oldest_at"].clone(),
        )
    };
    assert_eq!(count(), (0, 1, Value::Null));
    assert_eq!(got["messages"][0]["msg_id"], sent["msg_id"]);
    let receipts = json!({"receipts": [got["messages"][0]["receipt"]]});
    hub.client.post(&format!("/inbox/{agent}/ack"), &receipts).ok();
    assert_eq!(count(), (0, 0, Value::Null));
    hub.client.get("/inboxes?limit=0").problem_with(400, "invalid_parameter", "limit");
    hub.client.get("/inboxes?cursor=1").problem_with(400, "invalid_parameter", "cursor");
}

#[test]
fn the_last_mail_comes_first() {
    let hub = hub();
    let agents = [(); 3].map(|()| unique("agent"));
    for agent in &agents {
        send(&hub.client, "tester", agent, "medium");
    }
    send(&hub.client, "tester", &agents[0], "high");
    let all = inboxes(&hub.client, 2);
    let place = |agent: &str| all.iter().position(|inbox| inbox["agent"] == agent);
    let [first, second, third] = [0, 2, 1].map(|n| place(&agents[n]));
    assert!(first < second && second < third && first.is_some(), "{first:?} {second:?} {third:?}");
}
