//! Agents, keys, invites and money.

use anyhow::Result;
use reef_store::agent::IsName;
use reef_store::audit::{Keep, KeepOfLedger};
use reef_store::key;
use reef_store::name::{Release, Settle, Show};
use serde_json::{Value, json};

use super::list;
use super::nodes::registration;
use crate::scripts::driver::{Driver, text};

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let nothing = &Value::Null;
    let mut keys = Vec::new();
    for i in 0..driver.many {
        let body = json!({"agent_id": format!("agent-{i}"), "display_name": "Ada"});
        let made = driver.ask("POST", "/agents/register", &body).await?;
        keys.push(text(&made["api_key"])?);
        driver.get(&format!("/agents/agent-{i}")).await?;
        driver.store().call(&Release { name: "nobody" }).await?;
        driver.store().call(&Show { name: "node-1" }).await?;
        driver.store().call(&Settle { name: "node-1", is_own: true }).await?;
        driver.store().call(&IsName { name: "node-1" }).await?;
        let status = json!({"status": "suspended"});
        driver.ask("PATCH", &format!("/agents/agent-{i}"), &status).await?;
        let status = json!({"status": "active"});
        driver.ask("PATCH", &format!("/agents/agent-{i}"), &status).await?;
    }
    for i in 0..driver.many {
        let invite = driver.ask("POST", "/invites", &json!({})).await?;
        let (code, id) = (text(&invite["invite"])?, text(&invite["invite_info"]["invite_id"])?);
        let body = json!({"agent_id": format!("guest-{i}")});
        driver.ask_as(&code, "POST", "/agents/register", &body).await?;
        if i % 2 == 1 {
            let another = driver.ask("POST", "/invites", &json!({})).await?;
            let id_of = text(&another["invite_info"]["invite_id"])?;
            driver.ask("DELETE", &format!("/invites/{id_of}"), nothing).await?;
        }
        let _ = id;
    }
    for _ in 0..60 {
        driver.ask("POST", "/invites", &json!({})).await?;
    }
    for path in ["/agents", "/invites"] {
        list(driver, path).await?;
    }
    for (i, key) in keys.iter().enumerate() {
        let made = driver.ask_as(key, "POST", "/auth/keys", &json!({"name": "second"})).await?;
        let id = text(&made["key_info"]["key_id"])?;
        let made = driver.ask_as(key, "POST", &format!("/auth/keys/{id}/rotate"), nothing).await?;
        driver.ask_as(key, "GET", "/auth/keys", nothing).await?;
        driver.ask_as(key, "GET", "/auth/me", nothing).await?;
        let id = text(&made["key_info"]["key_id"])?;
        driver.ask_as(key, "DELETE", &format!("/auth/keys/{id}"), nothing).await?;
        driver.ask_as(key, "GET", &format!("/agents/agent-{i}"), nothing).await?;
    }
    let body = json!({"from": "agent-0", "content": "There is something to do."});
    for i in 0..driver.many {
        driver.ask_as(&keys[0], "POST", &format!("/inbox/agent-{i}"), &body).await?;
    }
    let body = json!({"cpu_usage": 42.5});
    driver.ask_as(&keys[0], "POST", "/nodes/register", &registration("agents-node")).await?;
    for _ in 0..driver.many {
        driver.ask_as(&keys[0], "POST", "/nodes/agents-node/heartbeat", &body).await?;
        driver.ask_as(&keys[0], "GET", "/nodes/agents-node", nothing).await?;
        let agent_id = &"agent-0".into();
        driver.store().call(&key::List { agent_id }).await?;
    }
    money(driver).await?;
    for i in 0..driver.many {
        driver.ask("DELETE", &format!("/agents/guest-{i}"), nothing).await?;
    }
    Ok(())
}

async fn money(driver: &Driver) -> Result<()> {
    let nothing = &Value::Null;
    let name = |i: usize| format!("agent-{}", i % driver.many);
    for i in 0..driver.many {
        let body = json!({"agent_id": name(i), "amount": "10000"});
        driver.ask("POST", "/deposit", &body).await?;
        let body = json!({"agent_id": name(i), "amount": "1"});
        driver.ask("POST", "/withdraw", &body).await?;
        driver.get(&format!("/balance/{}", name(i))).await?;
    }
    for _ in 0..4 {
        for i in 0..driver.many {
            let body = json!({"from_agent": name(i), "to_agent": name(i + 1), "amount": "0.5"});
            driver.ask("POST", "/transfer", &body).await?;
        }
    }
    for i in 0..driver.many {
        let mut holds = Vec::new();
        for _ in 0..2 {
            let body = json!({"agent_id": name(i), "amount": "5"});
            holds.push(text(&driver.ask("POST", "/holds", &body).await?["hold"]["hold_id"])?);
        }
        driver.get(&format!("/holds/{}", holds[0])).await?;
        let body = json!({"to_agent": name(i + 1)});
        driver.ask("POST", &format!("/holds/{}/post", holds[0]), &body).await?;
        driver.ask("POST", &format!("/holds/{}/void", holds[1]), nothing).await?;
    }
    // For a list of one agent's.
    for _ in 0..60 {
        driver.ask("POST", "/holds", &json!({"agent_id": name(0), "amount": "5"})).await?;
    }
    for i in 0..driver.many {
        let (long, short) = (
            open(driver, 0, "long").await?,
            open(driver, 1 + i % (driver.many - 1), "short").await?,
        );
        driver.get(&format!("/intents/{long}")).await?;
        let matching = json!({"with": short, "price": "2000"});
        driver.ask("POST", &format!("/intents/{long}/match"), &matching).await?;
        let unwanted = open(driver, i, "long").await?;
        driver.ask("DELETE", &format!("/intents/{unwanted}"), nothing).await?;
    }
    for path in [
        "/holds",
        "/holds?agent_id=agent-0",
        "/intents",
        "/intents?status=matched&asset=ETH-PERP",
        "/positions/agent-0",
        "/entries",
        "/entries?agent_id=agent-0",
        "/entries/index?agent_id=agent-0",
        "/entries/seals",
        "/audit",
        "/audit?actor=nobody",
        "/audit/seals?chain=cluster",
        "/audit/seals?chain=ledger",
    ] {
        list(driver, path).await?;
    }
    for _ in 0..driver.many {
        // That is none of the next.
        driver.store().call(&Keep { number: 1_000_000, seal: "" }).await?;
        driver.store().call(&KeepOfLedger { number: 1_000_000, seal: "" }).await?;
    }
    for _ in 0..driver.many.min(20) {
        driver.get("/entries/audit").await?;
    }
    let positions = driver.get("/positions/agent-0?limit=1000").await?;
    for position in positions["positions"].as_array().into_iter().flatten() {
        let path = format!("/positions/{}", text(&position["position_id"])?);
        driver.ask("POST", &format!("{path}/mark"), &json!({"price": "2001"})).await?;
        driver.ask("POST", &format!("{path}/close"), &json!({"price": "2001"})).await?;
    }
    Ok(())
}

/// Says that an agent would take a position.
async fn open(driver: &Driver, agent: usize, kind: &str) -> Result<String> {
    let body = json!({
        "agent_id": format!("agent-{}", agent % driver.many), "intent_type": kind,
        "asset": "ETH-PERP", "size": "10",
    });
    text(&driver.ask("POST", "/intents", &body).await?["intent"]["intent_id"])
}
