//! All that a hub is asked for, part by part. Each part makes what it needs.

#![allow(
    clippy::indexing_slicing,
    reason = "what an answer lacks is null, and `text` says where; lists were made a few lines before"
)]

mod flows;
mod hosts;
mod ledger;
mod limits;
mod logs;
mod mail;
mod messages;
mod nodes;
mod schedules;
mod tasks;
mod usage;

use anyhow::Result;

use super::driver::Driver;

/// Where pages of two sizes are looked at.
pub(crate) const ONE: &str = "one row";
/// The same with more.
pub(crate) const MANY: &str = "50 rows";

const FILTERED: [(&str, i64); 2] = [("one row, filtered", 1), ("50 rows, filtered", 50)];

/// Asks for all of it.
pub(crate) async fn all(driver: &Driver) -> Result<()> {
    nodes::ask(driver).await?;
    messages::ask(driver).await?;
    tasks::ask(driver).await?;
    flows::ask(driver).await?;
    limits::ask(driver).await?;
    schedules::ask(driver).await?;
    usage::ask(driver).await?;
    logs::ask(driver).await?;
    mail::ask(driver).await?;
    ledger::ask(driver).await?;
    nodes::end(driver).await?;
    hosts::ask(driver).await
}

/// Reads a list, as pages of one row and of many.
async fn list(driver: &Driver, path: &str) -> Result<()> {
    let is_filtered = path.contains('?');
    let separator = if is_filtered { '&' } else { '?' };
    let cases = if is_filtered { FILTERED } else { [(ONE, 1), (MANY, 50)] };
    for (case, limit) in cases {
        driver.case(case);
        for _ in 0..driver.many {
            driver.get(&format!("{path}{separator}limit={limit}")).await?;
        }
    }
    driver.case("");
    Ok(())
}
