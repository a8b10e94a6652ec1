//! Logs of tasks.

use anyhow::Result;
use serde_json::{Value, json};

use crate::scripts::driver::Driver;

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let line =
        json!({"stream": "stdout", "text": "2026-03-01 12:00:00 INFO fetched 17 of 42 pages"});
    for i in 0..driver.many {
        let task = format!("log-{i}");
        let path = format!("/tasks/{task}/log");
        let body = json!({"task_id": task, "name": "log", "required_skills": ["python"]});
        driver.ask("POST", "/tasks", &body).await?;
        driver.get(&path).await?;
        let body = json!({"node_id": "node-0", "task_id": task});
        let claimed = driver.ask("POST", "/tasks/claim", &body).await?;
        let token = &claimed["tasks"][0]["token"];
        for (case, count) in [("one line", 1), ("100 lines", 100)] {
            driver.case(case);
            let body = json!({"token": token, "lines": vec![&line; count]});
            driver.ask("POST", &path, &body).await?;
            driver.get(&format!("{path}?tail={count}")).await?;
        }
        driver.case("");
        let body = json!({"token": token});
        driver.ask("POST", &format!("/tasks/{task}/complete"), &body).await?;
        driver.ask("DELETE", &format!("/tasks/{task}"), &Value::Null).await?;
    }
    // A log that is full.
    driver.case("100 lines, full");
    let body = json!({"task_id": "log", "name": "log", "required_skills": ["python"]});
    driver.ask("POST", "/tasks", &body).await?;
    let body = json!({"node_id": "node-0", "task_id": "log"});
    let claimed = driver.ask("POST", "/tasks/claim", &body).await?;
    let body = json!({"token": claimed["tasks"][0]["token"], "lines": vec![&line; 100]});
    for _ in 0..20 + driver.many {
        driver.ask("POST", "/tasks/log/log", &body).await?;
    }
    driver.case("");
    driver.ask("POST", "/tasks/log/cancel", &Value::Null).await.map(drop)
}
