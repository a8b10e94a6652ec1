//! Each POST of the ledger, repeated under an idempotency key.

use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::super::idempotency::{assert_replayed, is_replay, keyed};
use super::{Deal, agent_with, an_asset, figures, hub, intent, text};
use crate::harness::unique;

#[test]
fn what_moves_money_moves_it_once() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "100"), new_agent(&hub));
    let client = &alice.client;
    let body = json!({"agent_id": alice.id, "amount": "1"});
    assert_replayed(client, "/deposit", &body);
    assert_eq!(figures(&alice)[0], "101");
    assert_replayed(client, "/withdraw", &body);
    assert_eq!(figures(&alice)[0], "100");
    let pay = json!({"from_agent": alice.id, "to_agent": bob.id, "amount": "1"});
    assert_replayed(client, "/transfer", &pay);
    assert_eq!((figures(&alice)[0].as_str(), figures(&bob)[0].as_str()), ("99", "1"));
    let hold = |amount: &str| json!({"agent_id": alice.id, "amount": amount});
    let made = assert_replayed(client, "/holds", &hold("10"));
    assert_eq!(figures(&alice)[1], "10");
    let path = format!("/holds/{}", text(&made["hold"]["hold_id"]));
    assert_replayed(client, &format!("{path}/post"), &json!({"to_agent": bob.id}));
    assert_eq!(figures(&alice), ["89", "0", "89"]);
    let made = assert_replayed(client, "/holds", &hold("5"));
    let path = format!("/holds/{}", text(&made["hold"]["hold_id"]));
    assert_replayed(client, &format!("{path}/void"), &json!({}));
    // A refusal is an answer, too, even when there is enough by then.
    let (too_much, keyed) = (hold("1000"), keyed(client, &unique("key")));
    keyed.post("/holds", &too_much).problem(400, "insufficient_balance");
    client.post("/deposit", &json!({"agent_id": alice.id, "amount": "1000"})).ok();
    let again = keyed.post("/holds", &too_much);
    again.problem(400, "insufficient_balance");
    assert!(is_replay(&again), "{again}");
}

#[test]
fn what_trades_trades_once() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "100"), agent_with(&hub, "100"));
    let asset = an_asset();
    let body = json!({
        "agent_id": alice.id, "intent_type": "long", "asset": asset, "size": "10",
    });
    let made = assert_replayed(&alice.client, "/intents", &body);
    assert_eq!(figures(&alice)[1], "10");
    let other = intent(&bob, "short", &asset, "10", 1);
    let path = format!("/intents/{}/match", text(&made["intent"]["intent_id"]));
    let body = json!({"with": other["intent_id"], "price": "5"});
    let matched = assert_replayed(&hub.client, &path, &body);
    let position = text(&matched["positions"][0]["position_id"]);
    let price = json!({"price": "6"});
    assert_replayed(&hub.client, &format!("/positions/{position}/mark"), &price);
    let path = format!("/positions/{position}/close");
    let closed: Value = assert_replayed(&alice.client, &path, &json!({}));
    assert_eq!(closed["pnl"], "2");
    assert_eq!(figures(&alice), ["102", "0", "102"]);
    hub.client.post(&path, &json!({})).problem(409, "conflict");
}

#[test]
fn a_key_stands_for_one_body() {
    let deal = Deal::new("1", 1, "1");
    let client = keyed(&deal.long.client, &unique("key"));
    let body = |amount: &str| json!({"agent_id": deal.long.id, "amount": amount});
    client.post("/deposit", &body("1")).ok();
    client.post("/deposit", &body("2")).problem(422, "idempotency_mismatch");
    assert_eq!(figures(&deal.long)[0], "101");
}
