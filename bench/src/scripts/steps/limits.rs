//! Limits, and pauses.

use anyhow::Result;
use serde_json::{Value, json};

use super::list;
use super::tasks::claim;
use crate::scripts::driver::{Driver, text};

const NODE: usize = 1;

/// A task that is claimed before all others.
fn task(limit: &str) -> Value {
    json!({"name": "call", "required_skills": ["python"], "priority": 0, "limits": [{"name": limit}]})
}

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let nothing = &Value::Null;
    let rules = json!({"concurrency": 1, "rates": [{"count": 1000, "per_ms": 1000}]});
    for i in 0..driver.many {
        driver.ask("PUT", &format!("/limits/limit-{i}"), &rules).await?;
        driver.get(&format!("/limits/limit-{i}")).await?;
    }
    list(driver, "/limits").await?;
    for i in 0..driver.many {
        driver.ask("PUT", "/fairness", &json!({"weights": {"acme": 3, "umbrella": 1}})).await?;
        driver.get("/fairness").await?;
        // The second of each key is answered with the first, the third takes its place.
        let unique = |then: &str| json!({"key": format!("key-{i}"), "then": then});
        let mut task =
            json!({"name": "once", "required_skills": ["nobody"], "fairness_key": "acme"});
        for then in ["return", "return", "replace"] {
            task["unique"] = unique(then);
            driver.case(then);
            driver.ask("POST", "/tasks", &task).await?;
        }
        driver.case("");
    }
    for i in 0..driver.many {
        let limit = &format!("limit-{i}");
        for _ in 0..2 {
            driver.ask("POST", "/tasks", &task(limit)).await?;
        }
        driver.case("under a limit");
        let (id, token) = claim(driver, NODE).await?;
        driver.case("");
        // The other one is put aside.
        let body = json!({"node_id": format!("node-{NODE}"), "limit": 1});
        let other = driver.ask("POST", "/tasks/claim", &body).await?;
        let penalty = json!({"retry_after_ms": 1, "task_id": id, "token": token});
        driver.ask("POST", &format!("/limits/{limit}/penalty"), &penalty).await?;
        let mut held = vec![json!({"task_id": id, "token": token})];
        held.extend(other["tasks"].as_array().into_iter().flatten().cloned());
        for task in held {
            let path = format!("/tasks/{}/complete", text(&task["task_id"])?);
            driver.ask("POST", &path, &json!({"token": task["token"]})).await?;
        }
        // It comes once the millisecond is over.
        loop {
            let next = driver.ask("POST", "/tasks/claim", &body).await?;
            if let Some(task) = next["tasks"].get(0) {
                let path = format!("/tasks/{}/complete", text(&task["task_id"])?);
                driver.ask("POST", &path, &json!({"token": task["token"]})).await?;
                break;
            }
        }
    }
    for i in 0..driver.many {
        driver.ask("DELETE", &format!("/limits/limit-{i}"), nothing).await?;
        driver.ask("PUT", "/queue", &json!({"paused_skills": ["gpu"]})).await?;
        driver.get("/queue").await?;
    }
    driver.ask("PUT", "/queue", &json!({})).await?;
    Ok(())
}
