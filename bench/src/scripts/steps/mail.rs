//! Inboxes.

use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

use super::list;
use crate::scripts::driver::{Driver, text};

/// How often mail is received before it is dead.
const TRIES: usize = 5;

async fn send(driver: &Driver, agent: &str) -> Result<String> {
    let body = json!({"from": "sender", "content": "There is something to do."});
    text(&driver.ask("POST", &format!("/inbox/{agent}"), &body).await?["msg_id"])
}

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let many = driver.many;
    for i in 0..many {
        send(driver, &format!("box-{i}")).await?;
    }
    for i in 0..many {
        let inbox = format!("/inbox/box-{i}");
        let got = driver.ask("POST", &format!("{inbox}/receive"), &json!({})).await?;
        let receipt = &got["messages"][0]["receipt"];
        driver.ask("POST", &format!("{inbox}/ack"), &json!({"receipts": [receipt]})).await?;
    }
    for _ in 0..60 {
        send(driver, "full").await?;
    }
    list(driver, "/inbox/full").await?;
    list(driver, "/inboxes").await?;
    for _ in 0..TRIES {
        let body = json!({"limit": 60, "lease_ms": 100});
        driver.case("60 messages");
        driver.ask("POST", "/inbox/full/receive", &body).await?;
        driver.case("");
        // The leases are over when Redis' clock says so.
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    driver.get("/inbox/full").await?;
    list(driver, "/inbox/full/dead").await?;
    driver.ask("POST", "/inbox/full/dead/redrive", &Value::Null).await?;
    for _ in 0..many {
        let body = json!({"from": "sender", "topic": "task_proposal", "content": {
            "idea": "tidy up", "tasks": [{"name": "mop", "required_skills": ["python"]}],
            "difficulty": 5, "value": 8,
        }});
        let sent = driver.ask("POST", "/inbox/node-1", &body).await?;
        let path = format!("/inbox/node-1/proposals/{}/accept", text(&sent["msg_id"])?);
        driver.ask("POST", &path, &Value::Null).await?;
    }
    Ok(())
}
