//! Intents and how they are matched.

use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::{
    Deal, INTENT_FIELDS, POSITION_FIELDS, agent_with, an_asset, figures, hub, intent, text,
};
use crate::contract::Subject;
use crate::harness::{Answer, unique};

fn make_match(hub: &Subject, a: &Value, b: &Value, price: &str) -> Answer {
    let body = json!({"with": b["intent_id"], "price": price});
    hub.client.post(&format!("/intents/{}/match", text(&a["intent_id"])), &body)
}

#[test]
fn an_intent_reserves_its_margin_and_gives_it_back() {
    let hub = hub();
    let alice = agent_with(&hub, "100");
    let body = json!({
        "agent_id": alice.id, "intent_type": "LONG", "asset": "BTC-USD.x_1", "size_usdc": "100",
        "leverage": 3, "reason": "weil",
    });
    let made = alice.client.post("/intents", &body).ok()["intent"].clone();
    let path = format!("/intents/{}", text(&made["intent_id"]));
    let shown = alice.client.get(&path).has_fields(INTENT_FIELDS);
    assert_eq!(shown, made);
    for (field, value) in [
        ("intent_type", json!("long")),
        ("size", json!("100")),
        ("filled", json!("0")),
        ("remaining", json!("100")),
        ("leverage", json!(3)),
        // Rounded up.
        ("margin", json!("33.333334")),
        ("max_slippage", json!("0.005")),
        ("reason", json!("weil")),
        ("status", json!("open")),
        ("matched_with", Value::Null),
    ] {
        assert_eq!(made[field], value, "{made}");
    }
    assert_eq!(figures(&alice), ["100", "33.333334", "66.666666"]);
    assert_eq!(alice.client.delete(&path).ok(), json!({"success": true}));
    assert_eq!(figures(&alice), ["100", "0", "100"]);
    let shown = alice.client.get(&path).ok();
    assert_eq!(
        (shown["status"].as_str(), shown["margin"].as_str()),
        (Some("cancelled"), Some("0"))
    );
    alice.client.delete(&path).problem(409, "conflict");
}

#[test]
fn an_intent_that_breaks_a_rule_is_refused() {
    let hub = hub();
    let alice = agent_with(&hub, "100");
    let good = json!({
        "agent_id": alice.id, "intent_type": "short", "asset": "BTC", "size": "1",
    });
    for (field, bad) in [
        ("size", json!(0)),
        ("size", json!(-100)),
        ("size", json!("0.0000001")),
        ("size", json!(1e30)),
        ("size", json!("NaN")),
        ("size", Value::Null),
        ("leverage", json!(0)),
        ("leverage", json!(21)),
        ("leverage", json!(101)),
        ("leverage", json!(1.5)),
        ("intent_type", json!("sideways")),
        ("intent_type", Value::Null),
        ("asset", json!("")),
        ("asset", json!("a b")),
        ("asset", json!("x".repeat(33))),
        ("max_slippage", json!("0.11")),
        ("max_slippage", json!(-0.01)),
        ("reason", json!("x".repeat(2001))),
        ("agent_id", Value::Null),
        ("agent_id", json!("@treasury")),
    ] {
        let mut body = good.clone();
        body[field] = bad;
        alice.client.post("/intents", &body).problem_with(422, "validation_failed", field);
    }
    let mut body = good.clone();
    body["size"] = json!("100.000001");
    alice.client.post("/intents", &body).problem(400, "insufficient_balance");
    body["leverage"] = json!(20);
    alice.client.post("/intents", &body).ok();
    new_agent(&hub).client.post("/intents", &good).problem(403, "forbidden");
    let path = format!("/intents/{}", unique("int"));
    alice.client.get(&path).problem(404, "not_found");
    alice.client.delete(&path).problem(404, "not_found");
}

#[test]
fn a_match_makes_two_positions_and_leaves_the_rest_open() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "100"), agent_with(&hub, "100"));
    let asset = an_asset();
    let a = intent(&alice, "long", &asset, "10", 3);
    let b = intent(&bob, "short", &asset, "4", 1);
    let answer = make_match(&hub, &a, &b, "2000.5");
    let made = answer.has_fields(&["success", "match", "positions"]);
    let of_match = &made["match"];
    assert!(text(&of_match["match_id"]).starts_with("match_"));
    for (field, value) in [
        ("intent_a", &a["intent_id"]),
        ("intent_b", &b["intent_id"]),
        ("agent_a", &json!(alice.id)),
        ("agent_b", &json!(bob.id)),
        ("asset", &json!(asset)),
        ("size", &json!("4")),
        ("price", &json!("2000.5")),
    ] {
        assert_eq!(of_match[field], *value, "{of_match}");
    }
    let [p, q] = [&made["positions"][0], &made["positions"][1]];
    let mut fields: Vec<_> = p.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = POSITION_FIELDS.to_vec();
    fields.sort_unstable();
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!((p["side"].as_str(), q["side"].as_str()), (Some("long"), Some("short")));
    assert_eq!((p["margin"].as_str(), q["margin"].as_str()), (Some("1.333334"), Some("4")));
    assert_eq!(p["counter_position"], q["position_id"]);
    assert_eq!(q["counter_position"], p["position_id"]);
    assert_eq!(p["entry_price"], p["mark"]);
    let show = |agent: &super::Agent, intent: &Value| {
        agent.client.get(&format!("/intents/{}", text(&intent["intent_id"]))).ok()
    };
    let (rest, full) = (show(&alice, &a), show(&bob, &b));
    assert_eq!((rest["status"].as_str(), rest["remaining"].as_str()), (Some("open"), Some("6")));
    assert_eq!(rest["margin"], "2");
    assert_eq!(rest["matched_with"], b["intent_id"]);
    assert_eq!((full["status"].as_str(), full["margin"].as_str()), (Some("matched"), Some("0")));
    // Nothing is reserved twice, nothing is free: 10/3 rounded up, in two parts.
    assert_eq!(figures(&alice)[1], "3.333334");
    // The matched one cannot be matched or cancelled again, and the rest can.
    make_match(&hub, &a, &b, "2000").problem(409, "conflict");
    let path = format!("/intents/{}", text(&b["intent_id"]));
    bob.client.delete(&path).problem(409, "conflict");
    let c = intent(&bob, "short", &asset, "50", 1);
    let made = make_match(&hub, &c, &a, "1").ok();
    assert_eq!(made["match"]["size"], "6");
    assert_eq!(made["positions"][1]["margin"], "2");
    assert_eq!(figures(&alice)[1], "3.333334");
}

#[test]
fn what_does_not_fit_is_not_matched() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "100"), agent_with(&hub, "100"));
    let asset = an_asset();
    let long = intent(&alice, "long", &asset, "1", 1);
    let own = intent(&alice, "short", &asset, "1", 1);
    let same_side = intent(&bob, "long", &asset, "1", 1);
    let elsewhere = intent(&bob, "short", &an_asset(), "1", 1);
    for other in [&own, &same_side, &elsewhere, &long] {
        make_match(&hub, &long, other, "1").problem(409, "conflict");
    }
    let nothing = json!({"intent_id": unique("int")});
    make_match(&hub, &long, &nothing, "1").problem(404, "not_found");
    make_match(&hub, &nothing, &long, "1").problem(404, "not_found");
    for price in ["0", "-1"] {
        let answer = make_match(&hub, &long, &own, price);
        answer.problem_with(422, "validation_failed", "price");
    }
    let path = format!("/intents/{}/match", text(&long["intent_id"]));
    hub.client.post(&path, &json!({"price": 1})).problem_with(422, "validation_failed", "with");
    let body = json!({"with": own["intent_id"], "price": 1});
    alice.client.post(&path, &body).problem(403, "forbidden");
}

#[test]
fn intents_are_listed_by_agent_asset_and_status() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "100"), agent_with(&hub, "100"));
    let (one, two) = (an_asset(), an_asset());
    let a = text(&intent(&alice, "long", &one, "1", 1)["intent_id"]);
    let b = text(&intent(&alice, "long", &two, "1", 1)["intent_id"]);
    let c = text(&intent(&bob, "short", &one, "1", 1)["intent_id"]);
    alice.client.delete(&format!("/intents/{b}")).ok();
    let listed = |client: &crate::harness::Client, query: &str| {
        let body = client.get(&format!("/intents{query}")).ok();
        let all = body["intents"].as_array().unwrap().clone();
        all.iter().map(|intent| text(&intent["intent_id"])).collect::<Vec<_>>()
    };
    assert_eq!(listed(&alice.client, ""), [&*b, &a]);
    assert_eq!(listed(&alice.client, "?status=open"), [&*a]);
    assert_eq!(listed(&alice.client, &format!("?asset={two}")), [&*b]);
    assert_eq!(listed(&hub.client, &format!("?asset={one}")), [&*c, &a]);
    assert_eq!(listed(&hub.client, &format!("?asset={one}&agent_id={}", alice.id)), [&*a]);
    let others = format!("/intents?agent_id={}", bob.id);
    alice.client.get(&others).problem(403, "forbidden");
    alice.client.get(&format!("/intents/{c}")).problem(403, "forbidden");
    alice.client.delete(&format!("/intents/{c}")).problem(403, "forbidden");
    for (query, field) in
        [("status=x", "status"), ("asset=a%20b", "asset"), ("cursor=-1", "cursor")]
    {
        let answer = alice.client.get(&format!("/intents?{query}"));
        answer.problem_with(400, "invalid_parameter", field);
    }
}

#[test]
fn only_the_admin_matches_and_marks() {
    let deal = Deal::new("10", 1, "100");
    let mark = format!("/positions/{}/mark", deal.positions[0]);
    deal.long.client.post(&mark, &json!({"price": 1})).problem(403, "forbidden");
    deal.hub.client.post(&mark, &json!({})).problem_with(422, "validation_failed", "price");
}
