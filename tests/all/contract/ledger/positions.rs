//! Positions: marked, closed, liquidated.

use serde_json::{Value, json};

use super::{Agent, Deal, figures, text};
use crate::harness::{Answer, unique};

fn close(agent: &crate::harness::Client, position: &str, price: Option<&str>) -> Answer {
    agent.post(&format!("/positions/{position}/close"), &json!({"price": price}))
}

#[track_caller]
fn mark(deal: &Deal, position: &str, price: &str) -> Value {
    let body = json!({"price": price});
    let answer = deal.hub.client.post(&format!("/positions/{position}/mark"), &body);
    answer.has_fields(&["success", "position", "liquidated"])
}

#[track_caller]
fn positions(agent: &Agent, query: &str) -> Vec<Value> {
    let answer = agent.client.get(&format!("/positions/{}{query}", agent.id));
    let body = answer.has_fields(&["agent_id", "positions", "total"]);
    let list = body["positions"].as_array().unwrap().clone();
    assert_eq!(body["total"], list.len());
    list
}

#[test]
fn the_admin_closes_at_any_price_and_both_sides_are_paid() {
    let deal = Deal::new("50", 5, "200");
    let [long, short] = deal.positions.clone();
    assert_eq!(figures(&deal.long), ["100", "10", "90"]);
    let answer = close(&deal.hub.client, &short, Some("210"));
    let body = answer.has_fields(&["success", "position_id", "position", "pnl", "close_price"]);
    // 50 x 10 / 200, of which the short side is the loser.
    assert_eq!((body["pnl"].as_str(), body["close_price"].as_str()), (Some("-2.5"), Some("210")));
    assert_eq!(body["position_id"], short);
    assert_eq!(body["position"]["status"], "closed");
    assert_eq!(body["position"]["realized_pnl"], "-2.5");
    assert_eq!(figures(&deal.long), ["102.5", "0", "102.5"]);
    assert_eq!(figures(&deal.short), ["97.5", "0", "97.5"]);
    for position in [&long, &short] {
        close(&deal.hub.client, position, Some("210")).problem(409, "conflict");
        let path = format!("/positions/{position}/mark");
        deal.hub.client.post(&path, &json!({"price": 1})).problem(409, "conflict");
    }
    assert_eq!(positions(&deal.long, ""), Vec::<Value>::new());
    let all = positions(&deal.long, "?include_closed=true");
    assert_eq!((all[0]["realized_pnl"].as_str(), all.len()), (Some("2.5"), 1));
    assert_eq!(all[0]["close_reason"], "closed");
    assert!(all[0]["closed_at"].is_string());
}

#[test]
fn a_loser_pays_its_margin_and_no_more() {
    let deal = Deal::new("50", 5, "200");
    let body = close(&deal.hub.client, &deal.positions[0], Some("1")).ok();
    assert_eq!(body["pnl"], "-10");
    assert_eq!(figures(&deal.long), ["90", "0", "90"]);
    assert_eq!(figures(&deal.short), ["110", "0", "110"]);
}

#[test]
fn the_owner_closes_at_the_mark_only() {
    let deal = Deal::new("50", 5, "200");
    let [long, short] = deal.positions.clone();
    let problem = close(&deal.long.client, &long, Some("201")).problem(403, "forbidden");
    assert!(text(&problem["detail"]).contains("200"), "{problem}");
    close(&deal.long.client, &short, None).problem(403, "forbidden");
    close(&deal.long.client, &long, Some("0")).problem_with(422, "validation_failed", "price");
    close(&deal.long.client, &unique("pos"), None).problem(404, "not_found");
    let marked = mark(&deal, &short, "199.000001");
    assert_eq!(marked["liquidated"], false);
    // 50 x 0.999999 / 200, rounded down, and the same for both.
    assert_eq!(marked["position"]["unrealized_pnl"], "0.249999");
    assert_eq!(positions(&deal.long, "")[0]["unrealized_pnl"], "-0.249999");
    assert_eq!(positions(&deal.long, "")[0]["mark"], "199.000001");
    close(&deal.long.client, &long, Some("200")).problem(403, "forbidden");
    let body = deal.long.client.post_empty(&format!("/positions/{long}/close")).ok();
    assert_eq!(
        (body["pnl"].as_str(), body["close_price"].as_str()),
        (Some("-0.249999"), Some("199.000001"))
    );
    assert_eq!(figures(&deal.short)[0], "100.249999");
}

#[test]
fn a_side_with_less_than_a_twentieth_of_its_margin_is_liquidated() {
    // A margin of 10: 9.5 may be lost, and 9.500001 may not.
    let deal = Deal::new("100", 10, "100");
    let [long, short] = deal.positions.clone();
    let marked = mark(&deal, &long, "90.5");
    assert_eq!(marked["liquidated"], false);
    assert_eq!(marked["position"]["unrealized_pnl"], "-9.5");
    let marked = mark(&deal, &short, "90.499999");
    assert_eq!(marked["liquidated"], true);
    assert_eq!(marked["position"]["status"], "closed");
    assert_eq!(marked["position"]["close_reason"], "counterparty_liquidated");
    assert_eq!(marked["position"]["realized_pnl"], "9.500001");
    assert_eq!(marked["position"]["unrealized_pnl"], "0");
    let ended = positions(&deal.long, "?include_closed=true");
    assert_eq!(ended[0]["status"], "liquidated");
    assert_eq!(ended[0]["close_reason"], "liquidation");
    assert_eq!(figures(&deal.long), ["90.499999", "0", "90.499999"]);
    assert_eq!(figures(&deal.short), ["109.500001", "0", "109.500001"]);
    close(&deal.hub.client, &long, None).problem(409, "conflict");
}

#[test]
fn positions_are_their_owners_and_the_admins() {
    let deal = Deal::new("1", 1, "1");
    let path = format!("/positions/{}", deal.long.id);
    deal.short.client.get(&path).problem(403, "forbidden");
    assert_eq!(deal.hub.client.get(&path).ok()["total"], 1);
    deal.hub.client.get(&format!("/positions/{}", unique("nobody"))).problem(404, "not_found");
    let answer = deal.long.client.get(&format!("{path}?include_closed=perhaps"));
    answer.problem_with(400, "invalid_parameter", "include_closed");
    assert_eq!(deal.answer["positions"][0]["position_id"], deal.positions[0]);
}
