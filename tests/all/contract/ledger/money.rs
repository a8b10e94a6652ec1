//! Deposits, withdrawals, transfers, balances.

use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::{agent_with, figures, hub, text};
use crate::harness::{is_timestamp, unique};

#[test]
fn what_comes_and_goes_is_counted_to_the_millionth() {
    let hub = hub();
    let agent = new_agent(&hub);
    let client = &agent.client;
    assert_eq!(figures(&agent), ["0", "0", "0"]);
    let deposit = |amount: Value| json!({"agent_id": agent.id, "amount": amount});
    let answer = client.post("/deposit", &deposit(json!("0.1")));
    let body = answer.has_fields(&["success", "new_balance", "balance"]);
    let balance =
        json!({"agent_id": agent.id, "balance": "0.1", "locked": "0", "available": "0.1"});
    assert_eq!(body, json!({"success": true, "new_balance": "0.1", "balance": balance}));
    client.post("/deposit", &deposit(json!(0.2))).ok();
    client.post("/deposit", &deposit(json!("0.000001"))).ok();
    assert_eq!(figures(&agent)[0], "0.300001");
    let body = client.post("/withdraw", &deposit(json!("0.3"))).ok();
    assert_eq!(body["new_balance"], "0.000001");
    client.post("/withdraw", &deposit(json!("0.000001"))).ok();
    assert_eq!(figures(&agent), ["0", "0", "0"]);
}

#[test]
fn nobody_spends_more_than_there_is() {
    let hub = hub();
    let agent = agent_with(&hub, "10");
    let other = new_agent(&hub);
    let take = json!({"agent_id": agent.id, "amount": "10.000001"});
    let problem = agent.client.post("/withdraw", &take).problem(400, "insufficient_balance");
    let detail = text(&problem["detail"]);
    assert!(detail.contains("10 is available") && detail.contains("10.000001"), "{detail}");
    let pay = json!({"from_agent": agent.id, "to_agent": other.id, "amount": 11});
    agent.client.post("/transfer", &pay).problem(400, "insufficient_balance");
    // What is reserved cannot be spent, either.
    let hold = json!({"agent_id": agent.id, "amount": "4"});
    agent.client.post("/holds", &hold).ok();
    let take = json!({"agent_id": agent.id, "amount": "6.5"});
    agent.client.post("/withdraw", &take).problem(400, "insufficient_balance");
    assert_eq!(figures(&agent), ["10", "4", "6"]);
}

#[test]
fn an_amount_is_a_decimal_with_six_places_in_range() {
    let hub = hub();
    let agent = agent_with(&hub, "1");
    let other = new_agent(&hub);
    for bad in [
        "0",
        "-100",
        "0.0000001",
        "1e30",
        "\"0\"",
        "\"-1\"",
        "\"1e2\"",
        "\"NaN\"",
        "\"Infinity\"",
        "\"\"",
        "\" 1\"",
        "\"1,5\"",
        "true",
        "[1]",
        "{}",
        "\"9007199254.740992\"",
        "null",
    ] {
        for (path, field, rest) in [
            ("/deposit", "amount", format!(r#""agent_id":"{}""#, agent.id)),
            ("/withdraw", "amount", format!(r#""agent_id":"{}""#, agent.id)),
            ("/holds", "amount", format!(r#""agent_id":"{}""#, agent.id)),
            (
                "/transfer",
                "amount",
                format!(r#""from_agent":"{}","to_agent":"{}""#, agent.id, other.id),
            ),
        ] {
            let body = format!(r#"{{{rest},"{field}":{bad}}}"#);
            let answer = agent.client.send("POST", path, Some(body.as_bytes()));
            answer.problem_with(422, "validation_failed", field);
        }
    }
    let body = format!(r#"{{"agent_id":"{}","amount":NaN}}"#, agent.id);
    agent.client.send("POST", "/deposit", Some(body.as_bytes())).problem(400, "malformed_json");
    // An exponent is fine where it is exact.
    let body = format!(r#"{{"agent_id":"{}","amount":2.5e1}}"#, agent.id);
    assert_eq!(
        agent.client.send("POST", "/deposit", Some(body.as_bytes())).ok()["new_balance"],
        "26"
    );
}

#[test]
fn a_deposit_has_a_limit_and_a_withdrawal_only_the_balance() {
    let hub = hub();
    let agent = new_agent(&hub);
    let body = |amount: &str| json!({"agent_id": agent.id, "amount": amount});
    let answer = agent.client.post("/deposit", &body("100000.000001"));
    answer.problem_with(422, "validation_failed", "amount");
    for _ in 0..2 {
        agent.client.post("/deposit", &body("100000")).ok();
    }
    agent.client.post("/withdraw", &body("200000")).ok();
}

#[test]
fn a_transfer_is_settled_at_once() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), new_agent(&hub));
    let body = json!({
        "from_agent": alice.id, "to_agent": bob.id, "amount": "2.50", "memo": "für „Kaffee“ ☕",
    });
    let answer = alice.client.post("/transfer", &body);
    let done = answer.has_fields(&["success", "settlement"]);
    let settlement = &done["settlement"];
    assert!(text(&settlement["settlement_id"]).starts_with("set_"), "{settlement}");
    assert!(text(&settlement["entry_id"]).starts_with("ent_"), "{settlement}");
    assert!(is_timestamp(&settlement["created_at"]), "{settlement}");
    for (field, value) in [
        ("type", "internal"),
        ("from_agent", &alice.id),
        ("to_agent", &bob.id),
        ("amount", "2.5"),
        ("memo", "für „Kaffee“ ☕"),
        ("status", "settled"),
    ] {
        assert_eq!(settlement[field], value, "{settlement}");
    }
    assert_eq!((figures(&alice)[0].as_str(), figures(&bob)[0].as_str()), ("7.5", "2.5"));
}

#[test]
fn a_transfer_that_cannot_be_is_refused() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), new_agent(&hub));
    let send = |from: &str, to: &str, memo: &str| {
        let body = json!({"from_agent": from, "to_agent": to, "amount": 1, "memo": memo});
        alice.client.post("/transfer", &body)
    };
    send(&alice.id, &alice.id, "").problem_with(400, "invalid_parameter", "to_agent");
    send(&alice.id, &unique("nobody"), "").problem(404, "not_found");
    send(&bob.id, &alice.id, "").problem(403, "forbidden");
    send(&alice.id, "@treasury", "").problem_with(422, "validation_failed", "to_agent");
    let long = "ü".repeat(501);
    send(&alice.id, &bob.id, &long).problem_with(422, "validation_failed", "memo");
    alice.client.post("/transfer", &json!({})).problem_with(422, "validation_failed", "from_agent");
    assert_eq!(figures(&alice)[0], "10");
    send(&alice.id, &bob.id, &"ü".repeat(500)).ok();
}

#[test]
fn money_is_its_owners_and_the_admins() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), new_agent(&hub));
    let body = json!({"agent_id": alice.id, "amount": 1});
    for path in ["/deposit", "/withdraw", "/holds"] {
        bob.client.post(path, &body).problem(403, "forbidden");
        // Whether there is such an agent is nobody's business.
        let nobody = json!({"agent_id": unique("nobody"), "amount": 1});
        bob.client.post(path, &nobody).problem(403, "forbidden");
        hub.client.post(path, &nobody).problem(404, "not_found");
        hub.client.post(path, &body).ok();
        hub.anonymous.post(path, &body).problem(401, "unauthenticated");
    }
    bob.client.get(&format!("/balance/{}", alice.id)).problem(403, "forbidden");
    hub.client.get(&format!("/balance/{}", alice.id)).ok();
    hub.client.get(&format!("/balance/{}", unique("nobody"))).problem(404, "not_found");
    let reader = alice.key_with(&["read"]);
    reader.get(&format!("/balance/{}", alice.id)).ok();
    reader.post("/deposit", &body).problem(403, "forbidden");
}
