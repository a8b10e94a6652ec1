//! What tasks use, what they may, and what is paid for them.

use anyhow::Result;
use reef_store::usage::roll_up;
use serde_json::{Value, json};

use super::list;
use crate::scripts::driver::{Driver, text};

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    for i in 0..driver.many {
        let price = json!({"input": "1.25", "output": "10"});
        driver.ask("PUT", &format!("/prices/model-{i}"), &price).await?;
        let budget = json!({"cost": "100", "period": "month"});
        driver.ask("PUT", &format!("/budgets/user/user-{i}"), &budget).await?;
        driver.get(&format!("/budgets/user/user-{i}")).await?;
        let task = format!("spend-{i}");
        let body = json!({
            "task_id": task, "name": "spend", "required_skills": ["python"],
            "user_id": format!("user-{i}"), "budget": {"tokens": 10, "on_exceed": "wait"},
        });
        driver.ask("POST", "/tasks", &body).await?;
        let body = json!({"node_id": "node-0", "task_id": task});
        let claimed = driver.ask("POST", "/tasks/claim", &body).await?;
        let usage = json!([{"model": format!("model-{i}"), "input": 7, "output": 7}]);
        let body = json!({"token": claimed["tasks"][0]["token"], "usage": usage});
        let told = driver.ask("POST", &format!("/tasks/{task}/progress"), &body).await?;
        let wait = text(&told["wait_id"])?;
        driver
            .ask("POST", &format!("/waits/{wait}/answer"), &json!({"decision": "reject"}))
            .await?;
    }
    paid(driver).await?;
    roll_up(driver.store(), 100).await?;
    driver.get("/usage").await?;
    driver.get("/prices").await?;
    list(driver, "/budgets").await?;
    for i in 0..driver.many {
        driver.ask("DELETE", &format!("/prices/model-{i}"), &Value::Null).await?;
        driver.ask("DELETE", &format!("/budgets/user/user-{i}"), &Value::Null).await?;
    }
    Ok(())
}

/// Tasks that are paid for: every second one is done, the others are taken back.
async fn paid(driver: &Driver) -> Result<()> {
    driver.ask("POST", "/agents/register", &json!({"agent_id": "customer"})).await?;
    driver.ask("POST", "/deposit", &json!({"agent_id": "customer", "amount": "1000"})).await?;
    for i in 0..driver.many {
        let task = format!("paid-{i}");
        let body = json!({
            "task_id": task, "name": "paid", "required_skills": ["python"],
            "charge": {"max": "2", "from": "customer"},
        });
        driver.ask("POST", "/tasks", &body).await?;
        if i % 2 == 1 {
            driver.ask("POST", &format!("/tasks/{task}/cancel"), &Value::Null).await?;
            continue;
        }
        let body = json!({"node_id": "node-0", "task_id": task});
        let claimed = driver.ask("POST", "/tasks/claim", &body).await?;
        let body = json!({"token": claimed["tasks"][0]["token"], "amount": "1.5"});
        driver.ask("POST", &format!("/tasks/{task}/complete"), &body).await?;
    }
    Ok(())
}
