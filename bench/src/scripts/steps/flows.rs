//! Tasks that wait, and flows.

use anyhow::Result;
use serde_json::{Value, json};

use super::list;
use super::tasks::claim;
use crate::scripts::driver::{Driver, text};

const NODE: usize = 1;

fn task() -> Value {
    json!({"name": "index", "required_skills": ["python"], "priority": 0})
}

/// Lets a task wait; the wait's id.
async fn wait(driver: &Driver, id: &str, token: &Value, what: &Value) -> Result<String> {
    let mut body = what.clone();
    body["token"] = token.clone();
    let begun = driver.ask("POST", &format!("/tasks/{id}/wait"), &body).await?;
    text(&begun["wait_id"])
}

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let nothing = &Value::Null;
    for _ in 0..driver.many {
        driver.ask("POST", "/tasks", &task()).await?;
        let (id, token) = claim(driver, NODE).await?;
        let question = json!({"kind": "approval", "question": "Pay?", "checkpoint": {"step": 1}});
        let wait_id = wait(driver, &id, &token, &question).await?;
        driver.get(&format!("/waits/{wait_id}")).await?;
        driver.get(&format!("/waits?task_id={id}")).await?;
        let answer = json!({"decision": "approve"});
        driver.ask("POST", &format!("/waits/{wait_id}/answer"), &answer).await?;
        let (id, token) = claim(driver, NODE).await?;
        let signal = json!({"name": "paid", "payload": 7});
        driver.ask("POST", &format!("/tasks/{id}/signal"), &signal).await?;
        let taking = json!({"token": token});
        driver.ask("POST", &format!("/tasks/{id}/signals/take"), &taking).await?;
        wait(driver, &id, &token, &json!({"kind": "signal", "name": "paid"})).await?;
        driver.ask("POST", &format!("/tasks/{id}/signal"), &signal).await?;
        let (id, token) = claim(driver, NODE).await?;
        driver.ask("POST", &format!("/tasks/{id}/complete"), &json!({"token": token})).await?;
    }
    for _ in 0..driver.many {
        let asks = json!({"name": "index", "required_skills": ["python"],
            "approval": {"question": "Pay?"}});
        driver.ask("POST", "/tasks", &asks).await?;
    }
    list(driver, "/waits").await?;
    groups(driver).await?;
    for wait in driver.get("/waits?limit=1000").await?.as_array().into_iter().flatten() {
        let path = format!("/tasks/{}/cancel", text(&wait["task_id"])?);
        driver.ask("POST", &path, nothing).await?;
    }
    Ok(())
}

async fn groups(driver: &Driver) -> Result<()> {
    for _ in 0..driver.many {
        let mut next = task();
        next["after"] = json!([{"task": "#0"}]);
        let batch = json!({"tasks": [task(), next], "group": {}});
        let made = driver.ask("POST", "/tasks/batch", &batch).await?;
        let group = text(&made["group_id"])?;
        driver.get(&format!("/groups/{group}")).await?;
        let (id, token) = claim(driver, NODE).await?;
        driver.ask("POST", &format!("/tasks/{id}/complete"), &json!({"token": token})).await?;
        driver.ask("POST", &format!("/groups/{group}/cancel"), &Value::Null).await?;
        driver.ask("POST", &format!("/groups/{group}/retry"), &Value::Null).await?;
        driver.ask("POST", &format!("/groups/{group}/cancel"), &Value::Null).await?;
    }
    for _ in 0..driver.many.min(20) {
        driver.case("100 tasks");
        let batch = json!({"tasks": vec![task(); 100], "group": {}});
        let made = driver.ask("POST", "/tasks/batch", &batch).await?;
        let group = text(&made["group_id"])?;
        list(driver, &format!("/groups/{group}/tasks")).await?;
        driver.ask("POST", &format!("/groups/{group}/cancel"), &Value::Null).await?;
    }
    Ok(())
}
