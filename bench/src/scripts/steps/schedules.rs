//! Schedules, and what begins their runs.

use std::time::Duration;

use anyhow::Result;
use reef_store::schedule::fire_due;
use serde_json::{Value, json};

use super::list;
use crate::scripts::driver::Driver;

/// Longer than the first look at all of them takes.
const TIME: Duration = Duration::from_secs(10);

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let (store, settings) = (driver.store(), &driver.config().settings);
    let schedule = json!({
        "spec": {"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin"},
        "task": {"name": "digest", "required_skills": ["python"], "parameters": {"depth": 3}},
        "overlap": "allow",
    });
    for i in 0..driver.many {
        let path = format!("/schedules/schedule-{i}");
        driver.ask("PUT", &path, &schedule).await?;
        fire_due(store, settings, TIME).await?;
        driver.ask("POST", &format!("{path}/trigger"), &json!({})).await?;
        driver.get(&path).await?;
        driver.ask("POST", &format!("{path}/pause"), &json!({})).await?;
        driver.ask("POST", &format!("{path}/resume"), &json!({})).await?;
        let day = json!({"from": "2026-06-01T00:00:00Z", "to": "2026-06-01T12:00:00Z"});
        driver.ask("POST", &format!("{path}/backfill"), &day).await?;
    }
    // So that some have come due since.
    let each_second =
        json!({"spec": {"every_ms": 1000}, "task": schedule["task"], "overlap": "allow"});
    for i in 0..driver.many {
        driver.ask("PUT", &format!("/schedules/schedule-{i}"), &each_second).await?;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    fire_due(store, settings, TIME).await?;
    list(driver, "/schedules").await?;
    for i in 0..driver.many {
        driver.ask("DELETE", &format!("/schedules/schedule-{i}"), &Value::Null).await?;
    }
    Ok(())
}
