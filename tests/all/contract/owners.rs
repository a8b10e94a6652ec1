//! One owner for a name: whose an inbox is, and as whom one may write (contract.md §1, §4).

use serde_json::{Value, json};

use super::{Subject, hub};
use crate::harness::{Client, NewAgent, PATIENCE, eventually, registration, unique};

/// A hub where things have owners, and two agents; nothing where they have none.
fn two_agents() -> Option<(Subject, NewAgent, NewAgent)> {
    let hub = hub();
    hub.wants_keys.then(|| {
        let (alice, bob) = (hub.client.new_agent(), hub.client.new_agent());
        (hub, alice, bob)
    })
}

/// Registers a node under this id.
fn new_node(client: &Client, node_id: &str) -> crate::harness::Answer {
    let mut body = registration(&unique("host"));
    body["node_id"] = json!(node_id);
    client.post("/nodes/register", &body)
}

fn mail(from: &str) -> Value {
    json!({"from": from, "content": "hello"})
}

#[test]
fn a_nodes_inbox_is_its_owners() {
    let Some((hub, alice, bob)) = two_agents() else { return };
    let node = unique("gpu");
    new_node(&alice.client, &node).ok();
    let inbox = format!("/inbox/{node}");
    for _ in 0..2 {
        bob.client.post(&inbox, &mail(&bob.id)).ok();
    }
    let depth = |depth: u64| {
        eventually("the depth in a heartbeat", PATIENCE, || {
            let told = alice.client.beat(&node, &json!({}))["inbox"].clone();
            (told == depth).then_some(())
        });
    };
    depth(2);
    for path in [inbox.clone(), format!("{inbox}/dead")] {
        bob.client.get(&path).problem(404, "not_found");
    }
    for tail in ["receive", "dead/redrive", "proposals/msg_1/accept"] {
        bob.client.post_empty(&format!("{inbox}/{tail}")).problem(403, "forbidden");
    }
    let none = json!({"receipts": []});
    bob.client.post(&format!("{inbox}/ack"), &none).problem(403, "forbidden");

    assert_eq!(alice.client.get(&inbox).ok()["depth"], 2);
    assert_eq!(alice.client.get(&format!("{inbox}/dead")).ok()["depth"], 0);
    let taken = alice.client.post_empty(&format!("{inbox}/receive")).ok();
    let receipts: Vec<&Value> =
        taken["messages"].as_array().unwrap().iter().map(|mail| &mail["receipt"]).collect();
    let acked = alice.client.post(&format!("{inbox}/ack"), &json!({"receipts": receipts})).ok();
    assert_eq!(acked["acknowledged"], 2);
    alice.client.post_empty(&format!("{inbox}/dead/redrive")).ok();
    depth(0);
    // Its own is its own, and what nobody has is nobody's.
    assert_eq!(alice.client.get(&format!("/inbox/{}", alice.id)).ok()["depth"], 0);
    alice.client.get(&format!("/inbox/{}", unique("nobody"))).problem(404, "not_found");
    hub.client.get(&inbox).ok();
}

#[test]
fn no_node_takes_an_agents_name() {
    let Some((hub, alice, bob)) = two_agents() else { return };
    let refused = new_node(&bob.client, &alice.id);
    refused.problem_with(403, "forbidden", "node_id");
    hub.client.get(&format!("/nodes/{}", alice.id)).problem(404, "not_found");
    // It may be the agent's own.
    assert_eq!(new_node(&alice.client, &alice.id).ok()["node_id"], *alice.id);
    assert_eq!(new_node(&bob.client, &bob.id).ok()["node_id"], *bob.id);
    bob.client.get(&format!("/inbox/{}", alice.id)).problem(404, "not_found");
    alice.client.get(&format!("/inbox/{}", alice.id)).ok();
}

#[test]
fn the_admin_gives_an_agent_the_name_of_a_node_and_with_it_the_inbox() {
    let Some((hub, alice, bob)) = two_agents() else { return };
    let node = unique("gpu");
    new_node(&alice.client, &node).ok();
    bob.client.post(&format!("/inbox/{node}"), &mail(&bob.id)).ok();
    let made = hub.client.post("/agents/register", &json!({"agent_id": node})).ok();
    let agent = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    assert_eq!(agent.get(&format!("/inbox/{node}")).ok()["depth"], 1);
    alice.client.get(&format!("/inbox/{node}")).problem(404, "not_found");
    assert_eq!(alice.client.beat(&node, &json!({}))["inbox"], 0, "it is not the node's any more");
    let as_node = mail(&node);
    let other = format!("/inbox/{}", bob.id);
    alice.client.post(&other, &as_node).problem_with(403, "forbidden", "from");
    agent.post(&other, &as_node).ok();
}

#[test]
fn mail_is_from_the_caller_or_a_node_of_its_own() {
    let Some((hub, alice, bob)) = two_agents() else { return };
    let node = unique("gpu");
    new_node(&alice.client, &node).ok();
    let inbox = format!("/inbox/{}", bob.id);
    for from in [alice.id.as_str(), &node] {
        alice.client.post(&inbox, &mail(from)).ok();
        let answer = bob.client.post(&inbox, &mail(&alice.id));
        answer.problem_with(403, "forbidden", "from");
    }
    for from in [bob.id.as_str(), "boss", "admin"] {
        let answer = alice.client.post(&inbox, &mail(from));
        answer.problem_with(403, "forbidden", "from");
    }
    bob.client.post(&inbox, &mail(&node)).problem_with(403, "forbidden", "from");
    hub.client.post(&inbox, &mail("boss")).ok();
    let seen = bob.client.get(&inbox).ok();
    let senders: Vec<_> = seen["messages"].as_array().unwrap().iter().map(|m| &m["from"]).collect();
    assert_eq!(senders, [&json!(alice.id), &json!(node), &json!("boss")]);
}

#[test]
fn a_proposal_is_accepted_for_oneself_or_a_node_of_ones_own() {
    let Some((_hub, alice, bob)) = two_agents() else { return };
    let (own, others) = (unique("own"), unique("others"));
    new_node(&alice.client, &own).ok();
    new_node(&bob.client, &others).ok();
    let propose = || {
        let body = json!({"from": bob.id, "topic": "task_proposal",
            "content": {"idea": "tidy",
            "tasks": [{"name": "sweep", "required_skills": [unique("nobody")]}]}});
        let sent = bob.client.post(&format!("/inbox/{}", alice.id), &body).ok();
        format!("/inbox/{}/proposals/{}/accept", alice.id, sent["msg_id"].as_str().unwrap())
    };
    let path = propose();
    for executor in [bob.id.as_str(), &others, "nobody"] {
        let answer = alice.client.post(&path, &json!({"executor": executor}));
        answer.problem_with(403, "forbidden", "executor");
    }
    assert_eq!(alice.client.post(&path, &json!({"executor": own})).ok()["executor"], *own);
    let accepted = alice.client.post(&propose(), &json!({"executor": alice.id})).ok();
    assert_eq!(accepted["executor"], *alice.id);
}

#[test]
fn mail_of_a_removed_node_is_not_the_next_ones() {
    let Some((hub, alice, bob)) = two_agents() else { return };
    let node = unique("gpu");
    let inbox = format!("/inbox/{node}");
    new_node(&alice.client, &node).ok();
    bob.client.post(&inbox, &mail(&bob.id)).ok();
    eventually("the depth is known", PATIENCE, || {
        (alice.client.beat(&node, &json!({}))["inbox"] == 1).then_some(())
    });
    alice.client.delete(&format!("/nodes/{node}")).ok();
    new_node(&bob.client, &node).problem_with(403, "forbidden", "node_id");
    bob.client.get(&inbox).problem(404, "not_found");
    // Whose it was may have it again.
    new_node(&alice.client, &node).ok();
    assert_eq!(alice.client.get(&inbox).ok()["depth"], 1);
    // A name that ever had mail stays its owner's for a while: dead letters may lie there, too.
    let taken = alice.client.post_empty(&format!("{inbox}/receive")).ok();
    let receipts = json!({"receipts": [taken["messages"][0]["receipt"]]});
    alice.client.post(&format!("{inbox}/ack"), &receipts).ok();
    eventually("the depth is known", PATIENCE, || {
        (alice.client.beat(&node, &json!({}))["inbox"] == 0).then_some(())
    });
    alice.client.delete(&format!("/nodes/{node}")).ok();
    new_node(&bob.client, &node).problem_with(403, "forbidden", "node_id");
    // One that never had any leaves its name.
    let other = unique("gpu");
    for owner in [&alice.client, &bob.client] {
        new_node(owner, &other).ok();
        owner.delete(&format!("/nodes/{other}")).ok();
    }
    drop(hub);
}

#[test]
fn blocks_of_two_messages_may_have_one_id() {
    let Some((_hub, alice, bob)) = two_agents() else { return };
    let id = unique("image");
    let message = |agent: &NewAgent| {
        let session = agent.client.post_empty("/sessions").ok()["session_id"].clone();
        let path = format!("/sessions/{}/messages", session.as_str().unwrap());
        let sent = agent.client.post(&path, &json!({"content": "x"})).ok();
        sent["assistant_message_id"].as_str().unwrap().to_owned()
    };
    let block =
        |text: &str| json!({"content_type": "text", "content_id": id, "text": {"text": text}});
    let whole = |agent: &NewAgent, message: &str| {
        let block = agent.client.get(&format!("/messages/{message}/content/{id}")).ok();
        block["text"]["text"].as_str().unwrap().to_owned()
    };
    let large = "hers ".repeat(4000);
    let hers = message(&alice);
    alice.client.post(&format!("/messages/{hers}/content"), &block(&large)).ok();
    // A small one does not show hers, a large one does not take its place.
    for his_text in ["his".to_owned(), "his ".repeat(4000)] {
        let his = message(&bob);
        bob.client.post(&format!("/messages/{his}/content"), &block(&his_text)).ok();
        assert_eq!(whole(&bob, &his), his_text);
        assert_eq!(whole(&alice, &hers), large);
    }
}
