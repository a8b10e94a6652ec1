//! Inboxes: mail waits by priority, is leased, and goes once it is acknowledged (contract.md §4).

use serde_json::{Value, json};

use super::caller;
use super::idempotency::{assert_replayed, is_replay, keyed};
use crate::harness::{Client, PATIENCE, eventually, field_names, is_timestamp, race, unique};

/// The inbox of an agent that no other test writes to.
struct Inbox<'a> {
    client: &'a Client,
    agent: String,
}

impl<'a> Inbox<'a> {
    fn new(client: &'a Client) -> Self {
        Self { client, agent: unique("agent") }
    }

    fn path(&self, tail: &str) -> String {
        format!("/inbox/{}{tail}", self.agent)
    }

    /// Sends and returns the message's id.
    #[track_caller]
    fn send(&self, content: &str, priority: &str) -> String {
        let body = json!({"from": "tester", "content": content, "priority": priority});
        let sent = self.client.post(&self.path(""), &body).ok();
        sent["msg_id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn look(&self) -> Value {
        self.client.get(&self.path("")).has_fields(&["messages", "depth"])
    }

    #[track_caller]
    fn receive(&self, limit: u32, lease_ms: u32) -> Vec<Value> {
        let body = json!({"limit": limit, "lease_ms": lease_ms});
        let received = self.client.post(&self.path("/receive"), &body).has_fields(&["messages"]);
        received["messages"].as_array().unwrap().clone()
    }

    /// Receives one message as soon as there is one.
    fn wait_for_one(&self, lease_ms: u32) -> Value {
        eventually("a message", PATIENCE, || self.receive(1, lease_ms).pop())
    }

    /// The dead letters.
    #[track_caller]
    fn dead(&self) -> Vec<Value> {
        self.client.get(&self.path("/dead")).ok()["messages"].as_array().unwrap().clone()
    }

    /// How many of these receipts were good, and how many not.
    #[track_caller]
    fn acknowledge(&self, receipts: &[&Value]) -> (u64, u64) {
        let answer = self.client.post(&self.path("/ack"), &json!({"receipts": receipts}));
        let counts = answer.has_fields(&["acknowledged", "unknown"]);
        (counts["acknowledged"].as_u64().unwrap(), counts["unknown"].as_u64().unwrap())
    }
}

fn contents(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}

#[test]
fn mail_arrives_as_it_was_sent() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    assert_eq!(inbox.look(), json!({"messages": [], "depth": 0}));
    assert_eq!(inbox.receive(10, 30_000), Vec::<Value>::new());
    let body = json!({
        "from": "a.sender@home", "topic": "plan \"b\"", "priority": "high",
        "content": {"deep": [1, null, {}, []]}, "metadata": {"list": [], "n": 1.5},
    });
    let sent = client.post(&inbox.path(""), &body).has_fields(&["msg_id", "depth"]);
    assert!(sent["msg_id"].as_str().unwrap().starts_with("msg_"), "{sent}");
    assert_eq!(sent["depth"], 1);

    let seen = inbox.look();
    assert_eq!(seen["depth"], 1);
    assert_eq!(seen["messages"][0]["attempts"], 0);
    let received = client.post_empty(&inbox.path("/receive"));
    let mail = received.ok()["messages"][0].clone();
    assert_eq!(mail["msg_id"], sent["msg_id"]);
    for field in ["from", "topic", "priority", "content", "metadata"] {
        assert_eq!(mail[field], body[field], "{mail}");
        assert_eq!(seen["messages"][0][field], body[field]);
    }
    assert!(is_timestamp(&mail["timestamp"]), "{mail}");
    assert_eq!(mail["attempts"], 1);
    let text = received.text();
    let mail = text.strip_prefix("{\"messages\":[").unwrap().strip_suffix("]}").unwrap();
    assert_eq!(field_names(mail)[..3], ["msg_id", "receipt", "attempts"]);

    client.post(&inbox.path(""), &json!({"from": "me", "content": "x"})).ok();
    let plain = inbox.receive(1, 30_000).remove(0);
    assert_eq!((&plain["topic"], &plain["priority"]), (&json!("general"), &json!("medium")));
    assert_eq!(plain["metadata"], json!({}));
}

#[test]
fn the_urgent_comes_first_and_then_the_old() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    for (content, priority) in [
        ("l1", "low"),
        ("m1", "medium"),
        ("h1", "high"),
        ("m2", "medium"),
        ("l2", "low"),
        ("h2", "high"),
    ] {
        inbox.send(content, priority);
    }
    let order = ["h1", "h2", "m1", "m2", "l1", "l2"];
    let seen = inbox.look();
    assert_eq!(contents(seen["messages"].as_array().unwrap()), order);
    let part = client.get(&inbox.path("?limit=2")).ok();
    assert_eq!(contents(part["messages"].as_array().unwrap()), order[..2]);
    assert_eq!(part["depth"], 6);
    assert_eq!(contents(&inbox.receive(2, 30_000)), order[..2]);
    // What is leased is out of sight, but still in the inbox.
    assert_eq!(inbox.look()["depth"], 6);
    inbox.send("h3", "high");
    assert_eq!(contents(&inbox.receive(100, 30_000)), ["h3", "m1", "m2", "l1", "l2"]);
}

#[test]
fn what_is_not_acknowledged_comes_back_in_its_place() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    inbox.send("first", "medium");
    inbox.send("second", "medium");
    let stale = inbox.receive(1, 100).remove(0);
    assert_eq!(stale["content"], "first");
    let again = eventually("the lease's end", PATIENCE, || {
        let seen = inbox.look();
        let is_back = seen["messages"][0]["content"] == "first";
        is_back.then(|| inbox.receive(1, 30_000).remove(0))
    });
    assert_eq!((&again["msg_id"], &again["attempts"]), (&stale["msg_id"], &json!(2)));
    assert_ne!(again["receipt"], stale["receipt"]);
    // Whoever let his lease run out cannot acknowledge for the next one.
    assert_eq!(inbox.acknowledge(&[&stale["receipt"]]), (0, 1));
    assert_eq!(inbox.look()["depth"], 2);
    let bogus = json!("bogus");
    assert_eq!(inbox.acknowledge(&[&again["receipt"], &bogus, &again["receipt"]]), (1, 2));
    assert_eq!(inbox.look()["depth"], 1);
    assert_eq!(inbox.acknowledge(&[&again["receipt"]]), (0, 1));
    assert_eq!(inbox.acknowledge(&[]), (0, 0));
}

#[test]
fn no_message_is_leased_to_two() {
    const RECEIVERS: usize = 6;
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    let mut sent: Vec<String> = (0..30).map(|n| inbox.send(&n.to_string(), "medium")).collect();
    let received = race(RECEIVERS, |_| {
        let mut mine = Vec::new();
        loop {
            let messages = inbox.receive(2, 30_000);
            if messages.is_empty() {
                return mine;
            }
            mine.extend(messages.iter().map(|it| it["msg_id"].as_str().unwrap().to_owned()));
        }
    });
    let mut received: Vec<String> = received.concat();
    sent.sort_unstable();
    received.sort_unstable();
    assert_eq!(received, sent);
}

#[test]
fn after_five_tries_a_message_is_dead_until_it_is_redriven() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    let id = inbox.send("poison", "high");
    for attempt in 1..=5 {
        assert_eq!(inbox.wait_for_one(100)["attempts"], attempt);
    }
    let dead = eventually("the dead letter", PATIENCE, || inbox.dead().pop());
    assert_eq!((&dead["msg_id"], &dead["attempts"]), (&json!(id), &json!(5)));
    assert_eq!(dead["content"], "poison");
    assert_eq!(inbox.look(), json!({"messages": [], "depth": 0}));
    assert_eq!(inbox.receive(1, 100), Vec::<Value>::new());
    client.get(&inbox.path("/dead")).has_fields(&["messages", "depth"]);

    let redrive = inbox.path("/dead/redrive");
    let none = client.post(&redrive, &json!({"msg_ids": ["msg_other"]})).ok();
    assert_eq!(none, json!({"redriven": 0, "depth": 0}));
    let answer = client.post_empty(&redrive);
    assert_eq!(answer.has_fields(&["redriven", "depth"]), json!({"redriven": 1, "depth": 1}));
    assert_eq!(inbox.dead(), Vec::<Value>::new());
    let again = inbox.receive(1, 30_000).remove(0);
    assert_eq!((&again["msg_id"], &again["attempts"]), (&json!(id), &json!(1)));
    assert_eq!(inbox.acknowledge(&[&again["receipt"]]), (1, 0));
    assert_eq!(client.post_empty(&redrive).ok()["redriven"], 0);
}

#[test]
fn a_full_inbox_refuses_and_drops_nothing() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    for n in 0..1000 {
        inbox.send(&n.to_string(), "medium");
    }
    let urgent = json!({"from": "me", "content": "1000", "priority": "high"});
    client.post(&inbox.path(""), &urgent).problem(409, "inbox_full");
    // What is leased is not gone yet, so it takes room.
    let first = inbox.receive(1, 30_000).remove(0);
    client.post(&inbox.path(""), &urgent).problem(409, "inbox_full");
    assert_eq!(inbox.look()["depth"], 1000);
    assert_eq!(inbox.acknowledge(&[&first["receipt"]]), (1, 0));
    assert_eq!(client.post(&inbox.path(""), &urgent).ok()["depth"], 1000);
    let all = client.get(&inbox.path("?limit=1000")).ok();
    let kept = contents(all["messages"].as_array().unwrap()).into_iter().map(str::to_owned);
    assert!(kept.eq(std::iter::once(1000).chain(1..1000).map(|n: i32| n.to_string())));
}

#[test]
fn a_full_inbox_leaves_the_dead_where_they_are() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    for name in ["first", "second"] {
        inbox.send(name, "medium");
    }
    for _ in 0..10 {
        inbox.wait_for_one(100);
    }
    eventually("the dead letters", PATIENCE, || (inbox.dead().len() == 2).then_some(()));
    for n in 0..1000 {
        inbox.send(&n.to_string(), "medium");
    }
    let redrive = inbox.path("/dead/redrive");
    assert_eq!(client.post_empty(&redrive).ok(), json!({"redriven": 0, "depth": 1000}));
    assert_eq!(contents(&inbox.dead()), ["first", "second"]);
    // There is room for one.
    let taken = inbox.receive(1, 30_000).remove(0);
    assert_eq!(inbox.acknowledge(&[&taken["receipt"]]), (1, 0));
    assert_eq!(client.post_empty(&redrive).ok(), json!({"redriven": 1, "depth": 1000}));
    assert_eq!(contents(&inbox.dead()), ["second"]);
    assert_eq!(inbox.receive(1, 30_000)[0]["content"], "first");
}

#[test]
fn an_agents_heartbeat_tells_how_much_waits() {
    let (_hub, client) = caller();
    let inbox = Inbox { client: &client, agent: client.new_node("mailed") };
    assert_eq!(client.beat(&inbox.agent, &json!({}))["inbox"], 0);
    let tells = |depth: u64| {
        eventually(&format!("an inbox of {depth}"), PATIENCE, || {
            (client.beat(&inbox.agent, &json!({}))["inbox"] == depth).then_some(())
        });
    };
    inbox.send("one", "medium");
    inbox.send("two", "medium");
    tells(2);
    let received = inbox.receive(10, 30_000);
    inbox.acknowledge(&[&received[0]["receipt"]]);
    tells(1);
}

#[test]
fn bad_mail_is_refused_by_field() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    let long = "x".repeat(129);
    for (tail, field, body) in [
        ("", "from", json!({"content": "x"})),
        ("", "from", json!({"content": "x", "from": "a{b}"})),
        ("", "content", json!({"from": "me"})),
        ("", "content", json!({"from": "me", "content": null})),
        ("", "priority", json!({"from": "me", "content": "x", "priority": "urgent"})),
        ("", "topic", json!({"from": "me", "content": "x", "topic": ""})),
        ("", "topic", json!({"from": "me", "content": "x", "topic": long})),
        ("", "metadata", json!({"from": "me", "content": "x", "metadata": []})),
        ("/receive", "limit", json!({"limit": 0})),
        ("/receive", "limit", json!({"limit": 101})),
        ("/receive", "lease_ms", json!({"lease_ms": 99})),
        ("/receive", "lease_ms", json!({"lease_ms": "soon"})),
        ("/ack", "receipts", json!({})),
        ("/ack", "receipts", json!({"receipts": vec!["x"; 1001]})),
    ] {
        client.post(&inbox.path(tail), &body).problem_with(422, "validation_failed", field);
    }
    client.get("/inbox/%40external").problem(422, "validation_failed");
    let answer = client.get(&inbox.path("?limit=1001"));
    answer.problem_with(400, "invalid_parameter", "limit");
    assert_eq!(inbox.look()["depth"], 0);
}

#[test]
fn every_post_to_an_inbox_can_be_repeated() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    let mail = json!({"from": "me", "content": "once"});
    assert_replayed(&client, &inbox.path(""), &mail);
    assert_eq!(inbox.look()["depth"], 1);
    // A receiver whose answer was lost gets the same messages and not the next ones.
    inbox.send("twice", "medium");
    let received = assert_replayed(&client, &inbox.path("/receive"), &json!({"limit": 1}));
    let receipt = &received["messages"][0]["receipt"];
    let ack = json!({"receipts": [receipt]});
    assert_eq!(assert_replayed(&client, &inbox.path("/ack"), &ack)["acknowledged"], 1);
    assert_replayed(&client, &inbox.path("/dead/redrive"), &json!({}));
    assert_eq!(inbox.look()["depth"], 1);

    let keyed = keyed(&client, &unique("key"));
    keyed.post(&inbox.path(""), &mail).ok();
    let other = json!({"from": "me", "content": "other"});
    keyed.post(&inbox.path(""), &other).problem(422, "idempotency_mismatch");
}

#[test]
fn an_empty_receive_is_not_remembered() {
    let (_hub, client) = caller();
    let inbox = Inbox::new(&client);
    let keyed = keyed(&client, &unique("key"));
    let receive = || keyed.post(&inbox.path("/receive"), &json!({}));
    for _ in 0..2 {
        let empty = receive();
        assert!(!is_replay(&empty), "{empty}");
        assert_eq!(empty.ok()["messages"], json!([]));
    }
    let id = inbox.send("now", "medium");
    let first = receive();
    assert!(!is_replay(&first), "{first}");
    assert_eq!(first.ok()["messages"][0]["msg_id"], id);
    let second = receive();
    assert!(is_replay(&second), "{second}");
    assert_eq!(second.text(), first.text());
}
