//! Tasks, those of sessions too.

use anyhow::{Context, Result};
use reef_domain::filter::Filter;
use reef_store::bulk::Start;
use reef_store::history::roll;
use reef_store::task::{Discard, Room};
use serde_json::{Value, json};

use super::list;
use crate::scripts::driver::{Driver, text};

async fn submit(driver: &Driver, id: &str) -> Result<()> {
    let body = json!({
        "task_id": id, "name": "index", "required_skills": ["python"],
        "description": "Read what is new.", "parameters": {"path": "/var/log"},
    });
    driver.ask("POST", "/tasks", &body).await.map(drop)
}

/// Claims one task for a node; its id and token.
pub(super) async fn claim(driver: &Driver, node: usize) -> Result<(String, Value)> {
    let body = json!({"node_id": format!("node-{node}")});
    let claimed = driver.ask("POST", "/tasks/claim", &body).await?;
    let task = &claimed["tasks"][0];
    let id = text(&task["task_id"]).with_context(|| format!("node-{node}: {claimed}"))?;
    Ok((id, task["token"].clone()))
}

async fn edit(driver: &Driver) -> Result<()> {
    for i in 0..driver.many {
        for body in [
            json!({"priority": 1}),
            json!({"required_skills": ["python"], "labels": {"team": "red"}}),
        ] {
            driver.ask("PATCH", &format!("/tasks/task-{i}"), &body).await?;
        }
    }
    let counts = json!({"action": "cancel", "filter": {"name": "index"}, "dry_run": true});
    let change = |action: &str| json!({"action": action, "filter": {"name": "crawl"}, "most": 100, "reason": "measuring"});
    driver.case("100 tasks");
    let crawl = json!({"name": "crawl", "required_skills": ["python"]});
    for _ in 0..driver.many.min(20) {
        driver.ask("POST", "/tasks/batch", &json!({"tasks": vec![crawl.clone(); 100]})).await?;
        let mut sets = change("set_priority");
        sets["priority"] = json!(1);
        let [cancel, retry, remove] = ["cancel", "retry", "remove"].map(change);
        for body in [&counts, &sets, &cancel, &retry, &cancel, &remove] {
            let bulk = driver.ask("POST", "/bulk", body).await?;
            driver.get(&format!("/bulk/{}", text(&bulk["bulk_id"])?)).await?;
        }
    }
    driver.case("");
    // A job that the hub has begun is over before anybody could stop it.
    for i in 0..driver.many {
        let (bulk_id, filter) = (&format!("job-{i}").into(), &Filter::default());
        let (owner, action, reason) = ("bench", "cancel", "measuring");
        let start = Start { bulk_id, owner, action, priority: None, filter, most: None, reason };
        driver.store().call(&start).await?;
        driver.ask("POST", &format!("/bulk/job-{i}/stop"), &Value::Null).await?;
    }
    Ok(())
}

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let (many, nothing) = (driver.many, &Value::Null);
    for i in 0..2 * many {
        submit(driver, &format!("task-{i}")).await?;
    }
    for i in 0..many {
        driver.get(&format!("/tasks/task-{i}")).await?;
        driver.get(&format!("/tasks/task-{i}/why")).await?;
        driver.get(&format!("/tasks/task-{i}/attempts")).await?;
        driver.get("/tasks/stats").await?;
    }
    for path in [
        "/tasks",
        "/tasks?status=pending&user_id=ada",
        "/tasks?name=index&since=2026-01-01T00:00:00Z",
        "/tasks?error~=file",
        "/tasks/pending",
    ] {
        list(driver, path).await?;
    }
    edit(driver).await?;
    for i in 0..many {
        let (id, token) = claim(driver, i).await?;
        let progress = json!({"token": token, "progress": 0.5});
        driver.ask("POST", &format!("/tasks/{id}/progress"), &progress).await?;
        let complete = json!({"token": token, "result": {"lines": 42}});
        driver.ask("POST", &format!("/tasks/{id}/complete"), &complete).await?;
    }
    for i in 0..many {
        let (id, token) = claim(driver, i).await?;
        let fail = json!({"token": token, "error": "no such file", "retryable": false});
        driver.ask("POST", &format!("/tasks/{id}/fail"), &fail).await?;
    }
    list(driver, "/tasks/dead").await?;
    list(driver, "/tasks/dead?group=error").await?;
    for _ in 0..many {
        driver.get("/history").await?;
        roll(driver.store(), 100).await?;
    }
    for i in many..2 * many {
        let body = json!({"task_ids": [format!("task-{i}")]});
        driver.ask("POST", "/tasks/dead/redrive", &body).await?;
        driver.ask("POST", &format!("/tasks/task-{i}/cancel"), nothing).await?;
        driver.ask("POST", &format!("/tasks/task-{i}/retry"), nothing).await?;
        driver.ask("POST", &format!("/tasks/task-{i}/cancel"), nothing).await?;
        driver.ask("DELETE", &format!("/tasks/task-{i}"), nothing).await?;
        driver.store().call(&Discard { task_id: &"no-draft".into() }).await?;
        // Only an agent's large tasks ask for it.
        let (digest, task_ids) = ("", &[format!("large-{i}").into()]);
        let most = i64::MAX;
        let (tasks_max, bytes_max, bytes) = (most, most, 500_000);
        let room = Room { owner: "bench", digest, tasks_max, bytes_max, bytes, task_ids };
        driver.store().call(&room).await?;
    }
    driver.case("64 at once");
    for round in 0..many.min(20) {
        for i in 0..64 {
            submit(driver, &format!("batch-{round}-{i}")).await?;
        }
        let claim = json!({"node_id": format!("node-{round}"), "limit": 64});
        driver.ask("POST", "/tasks/claim", &claim).await?;
    }
    driver.case("a node with 64 claims");
    for round in 0..many.min(20) {
        let path = format!("/nodes/node-{round}/heartbeat");
        driver.ask("POST", &path, &json!({"renew_all": true})).await?;
        driver
            .ask("POST", "/nodes/register", &super::nodes::registration(&format!("node-{round}")))
            .await?;
    }
    driver.case("");
    of_sessions(driver).await?;
    driver.ask("POST", "/tasks/cleanup?days=1", nothing).await.map(drop)
}

/// A task of a session is shown in a message: a crash may leave it half done, which the monitor completes.
async fn of_sessions(driver: &Driver) -> Result<()> {
    driver.ask("DELETE", "/nodes/node-0", &Value::Null).await?;
    driver.ask("POST", "/nodes/register", &super::nodes::registration("node-0")).await?;
    for task in driver.get("/tasks/pending?limit=1000").await?.as_array().into_iter().flatten() {
        let path = format!("/tasks/{}/cancel", text(&task["task_id"])?);
        driver.ask("POST", &path, &Value::Null).await?;
    }
    for _ in 0..driver.many {
        let body = json!({"task_description": "Summarise it.", "required_skills": ["python"]});
        driver.ask("POST", "/sessions/sess-1/tasks", &body).await?;
        let (id, token) = claim(driver, 0).await?;
        let complete = json!({"token": token, "result": {"lines": 42}});
        driver.ask("POST", &format!("/tasks/{id}/complete"), &complete).await?;
    }
    Ok(())
}
