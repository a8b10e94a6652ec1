//! Nodes, heartbeats, the cluster and its leader.

use anyhow::Result;
use serde_json::{Value, json};

use super::list;
use crate::scripts::driver::Driver;

/// What a machine says of itself.
pub(super) fn registration(name: &str) -> Value {
    json!({
        "hostname": name, "node_id": name, "platform": "linux", "arch": "x64",
        "available_skills": ["python", "simple"], "tags": ["rack-1"], "max_concurrent_tasks": 100,
    })
}

/// The most that it may say.
fn long_registration(name: &str) -> Value {
    let words = |kind: &str| (0..100).map(|n| format!("{kind}-{n}-{name}")).collect::<Vec<_>>();
    let mut body = registration(name);
    body["available_skills"] = words("skill").into();
    body["tags"] = words("tag").into();
    body
}

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let name = |i: usize| format!("node-{i}");
    for i in 0..driver.many {
        driver.ask("POST", "/nodes/register", &registration(&name(i))).await?;
    }
    driver.case("again");
    for i in 0..driver.many {
        driver.ask("POST", "/nodes/register", &registration(&name(i))).await?;
    }
    driver.case("100 skills, 100 tags");
    for i in 0..driver.many.min(20) {
        let name = format!("long-{i}");
        driver.ask("POST", "/nodes/register", &long_registration(&name)).await?;
        driver.ask("DELETE", &format!("/nodes/{name}"), &Value::Null).await?;
    }
    driver.case("");
    let beat = json!({"cpu_usage": 42.5, "memory_usage": 61.2, "running_tasks": 0});
    for _ in 0..4 {
        for i in 0..driver.many {
            driver.ask("POST", &format!("/nodes/{}/heartbeat", name(i)), &beat).await?;
        }
    }
    driver.case("100 nodes");
    let batch: Vec<Value> =
        (0..100).map(|i| json!({"node_id": name(i % driver.many), "cpu_usage": 1.5})).collect();
    for _ in 0..driver.many {
        driver.ask("POST", "/heartbeats", &Value::from(batch.clone())).await?;
    }
    driver.case("");
    for i in 0..driver.many {
        let id = name(i);
        driver.get(&format!("/nodes/{id}")).await?;
        driver.get(&format!("/nodes/{id}/health")).await?;
        driver.ask("PATCH", &format!("/nodes/{id}"), &json!({"tags": ["rack-2"]})).await?;
        driver.get("/cluster/health").await?;
        driver.get("/cluster/state").await?;
        driver.ask("POST", "/cluster/check-heartbeat", &Value::Null).await?;
        let campaign = json!({"node_id": name(0)});
        let led = driver.ask("POST", "/cluster/leader/campaign", &campaign).await?;
        driver.get("/cluster/leader").await?;
        if i % 2 == 1 {
            let resign = json!({"node_id": name(0), "term": led["term"]});
            driver.ask("POST", "/cluster/leader/resign", &resign).await?;
        }
    }
    locks(driver).await?;
    for path in [
        "/nodes",
        "/nodes?status=online&tag=rack-2",
        "/nodes/online",
        "/nodes/available",
        "/nodes/skills/python",
        "/cluster/events",
        "/cluster/events?latest=true",
        "/cluster/leader/history",
    ] {
        list(driver, path).await?;
    }
    Ok(())
}

/// Locks: taken, kept, looked at, and some handed back. A page of 50 stays, also of a quick run's, so
/// that both write the same table of reads.
async fn locks(driver: &Driver) -> Result<()> {
    for i in 0..driver.many {
        let lock = format!("/locks/lock-{i}");
        let body = json!({"holder": "bench", "ttl_ms": 600_000});
        let held = driver.ask("POST", &format!("{lock}/acquire"), &body).await?;
        let body = json!({"holder": "bench", "term": held["lock"]["term"], "ttl_ms": 600_000});
        driver.ask("POST", &format!("{lock}/renew"), &body).await?;
        driver.get(&lock).await?;
        if i % 6 == 5 {
            let body = json!({"holder": "bench", "term": held["lock"]["term"]});
            driver.ask("POST", &format!("{lock}/release"), &body).await?;
        }
    }
    list(driver, "/locks").await
}

/// The nodes go.
pub(super) async fn end(driver: &Driver) -> Result<()> {
    for i in 0..driver.many {
        let id = format!("node-{i}");
        driver.ask("POST", &format!("/nodes/{id}/shutdown"), &Value::Null).await?;
        driver.ask("DELETE", &format!("/nodes/{id}"), &Value::Null).await?;
    }
    Ok(())
}
