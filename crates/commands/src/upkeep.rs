//! `reef stats` and `reef cleanup`: how much a hub holds, and less of it.

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use reef_api::cluster::{ClusterHealth, ClusterState};
use reef_api::message::Message;
use reef_api::session::Session;
use reef_api::task::{TaskCleanupBody, TaskStats, TaskStatus};
use reef_api::time::UnixMillis;
use reef_api::{SessionId, Word as _};
use reef_client::Kept;
use serde::Serialize;
use serde_json::json;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::columns;
use crate::{Context, time};

/// Shown above the `--help` of `reef stats`.
pub(crate) const STATS_EXAMPLES: &str = "\
Examples:
  reef stats
  reef stats --json
";

/// Shown above the `--help` of `reef cleanup`.
pub(crate) const CLEANUP_EXAMPLES: &str = "\
Examples:
  reef cleanup --tasks 30d --messages 7d --dry-run
  reef cleanup --tasks 30d --messages 7d
";

/// `reef stats`.
#[derive(Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
}

/// `reef cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// Forget tasks that ended longer ago, e.g. 30d or 12h
    #[arg(long, value_name = "AGE", value_parser = read_age)]
    tasks: Option<TimeDelta>,

    /// Remove messages that are older, in whole days, from all sessions
    #[arg(long, value_name = "AGE", value_parser = read_days)]
    messages: Option<i64>,

    /// Only count what would go
    #[arg(long)]
    dry_run: bool,
}

/// An age such as `30d`, `12h` or `2w`.
fn read_age(text: &str) -> Result<TimeDelta, String> {
    let rule = || "use a number and d, h or w, such as 30d".to_owned();
    let split = text.len().checked_sub(1).and_then(|at| text.split_at_checked(at));
    let (number, unit) = split.ok_or_else(rule)?;
    let number: i64 = number.parse().map_err(|_| rule())?;
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        _ => return Err(rule()),
    };
    let age = number.checked_mul(hours).and_then(TimeDelta::try_hours);
    age.filter(|age| (0..=36_500).contains(&age.num_days()) && number >= 0).ok_or_else(rule)
}

fn read_days(text: &str) -> Result<i64, String> {
    let age = read_age(text)?;
    let days = age.num_days();
    if TimeDelta::days(days) == age { Ok(days) } else { Err("use whole days, such as 7d".into()) }
}

impl Stats {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let state = cx.hub.cluster_state().answering::<Kept<ClusterState>>().fetch().await?;
        let health = cx.hub.cluster_health().answering::<Kept<ClusterHealth>>().fetch().await?;
        let tasks = cx.hub.task_stats().answering::<Kept<TaskStats>>().fetch().await?;
        if cx.out.is_json() {
            #[derive(Serialize)]
            struct All {
                state: Kept<ClusterState>,
                health: Kept<ClusterHealth>,
                tasks: Kept<TaskStats>,
            }
            let all = serde_json::to_string(&All { state, health, tasks })?;
            return Ok(cx.out.line(&all)?);
        }
        let (state, health, tasks) = (state.value, health.value, tasks.value);
        let by_status = tasks.by_status();
        let TaskStats { total, waiting, delayed, dead, skill_sets, fenced, .. } = tasks;
        let TaskStats { ended, ended_bytes, oldest_end, overdue, .. } = tasks;
        let of_tasks = [
            ("dead", dead),
            ("delayed", delayed),
            ("ended, kept", ended),
            ("ended, bytes about", ended_bytes),
            ("ended, overdue", overdue),
            ("fenced", fenced),
            ("skill sets", skill_sets),
            ("total", total),
            ("waiting for a node", waiting),
        ];
        let mut rows = vec![["nodes".to_owned(), state.total_nodes.to_string()]];
        rows.extend(counts("nodes", health.nodes_by_status.counts()));
        rows.extend(counts(
            "",
            [
                ("total capacity", health.total_capacity),
                ("used capacity", health.used_capacity),
                ("available capacity", health.available_capacity),
            ],
        ));
        rows.extend(counts("tasks", by_status.counts()));
        rows.extend(counts("tasks", of_tasks));
        let oldest = oldest_end.map_or_else(|| "none".to_owned(), |end| end.to_string());
        rows.push(["tasks ended, the oldest".to_owned(), oldest]);
        let suspended = health.expiry.suspended;
        let suspended = if suspended { "suspended" } else { "on" };
        rows.push(["expiry".to_owned(), suspended.to_owned()]);
        rows.push(["version of the data".to_owned(), state.data_version.to_string()]);
        Ok(cx.out.line(&columns(["what", "count"], rows))?)
    }
}

fn counts<const N: usize>(what: &str, counts: [(&str, i64); N]) -> [[String; 2]; N] {
    counts
        .map(|(name, count)| [format!("{what} {name}").trim_start().to_owned(), count.to_string()])
}

impl Cleanup {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        if self.tasks.is_none() && self.messages.is_none() {
            let sentence = "nothing to clean up: give --tasks AGE, --messages AGE, or both";
            return Err(Failure::Usage(sentence.to_owned()));
        }
        let tasks = match self.tasks {
            Some(age) if self.dry_run => Some(count_tasks(cx, age).await?),
            Some(age) => Some(forget_tasks(cx, age).await?),
            None => None,
        };
        let messages = match self.messages {
            Some(days) => Some(remove_messages(cx, days, self.dry_run).await?),
            None => None,
        };
        if cx.out.is_json() {
            let shown = json!({"dry_run": self.dry_run, "tasks": tasks, "messages": messages});
            return Ok(cx.out.line(&shown.to_string())?);
        }
        let verb = if self.dry_run { "would remove" } else { "removed" };
        for (what, count) in [("tasks", tasks), ("messages", messages)] {
            if let Some(count) = count {
                cx.out.line(&format!("{verb} {count} {what}"))?;
            }
        }
        Ok(())
    }
}

/// Tasks that ended before a time, by the lists: nothing is changed.
async fn count_tasks(cx: &Context, age: TimeDelta) -> Result<usize, Failure> {
    let before = hub_time(cx).await? - age;
    let mut count = 0;
    for status in TaskStatus::ALL.iter().filter(|status| status.is_end()) {
        let mut cursor = None;
        loop {
            let request = cx.hub.tasks().query("status", status).query("limit", 1000);
            let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
            let tasks = cx.out.read(&answer)?;
            count += tasks.iter().filter(|task| is_before(task.completed_at, before)).count();
            cursor = answer.next_cursor().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(count)
}

async fn forget_tasks(cx: &Context, age: TimeDelta) -> Result<usize, Failure> {
    #[expect(clippy::cast_precision_loss, reason = "an age has few hours")]
    let days = age.num_hours() as f64 / 24.0;
    let mut count = 0;
    loop {
        let request = cx.hub.clean_up_tasks(&TaskCleanupBody { days: Some(days) }).once();
        let deleted = usize::try_from(request.fetch().await?.deleted).unwrap_or_default();
        count += deleted;
        // One request does a bounded part.
        if deleted == 0 {
            return Ok(count);
        }
    }
}

async fn remove_messages(cx: &Context, days: i64, dry_run: bool) -> Result<usize, Failure> {
    let before = hub_time(cx).await? - TimeDelta::days(days);
    let (mut count, mut cursor) = (0, None);
    loop {
        let request = cx.hub.sessions().query("limit", 1000);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        for Session { session_id, .. } in cx.out.read(&answer)? {
            count += if dry_run {
                count_messages(cx, &session_id, before).await?
            } else {
                let request = cx.hub.clean_up_messages(&session_id);
                request.query("keep_days", days).fetch().await?.deleted
            };
        }
        cursor = answer.next_cursor().map(str::to_owned);
        if cursor.is_none() {
            return Ok(count);
        }
    }
}

/// Messages of a session that are older, oldest first.
async fn count_messages(
    cx: &Context,
    id: &SessionId,
    before: DateTime<Utc>,
) -> Result<usize, Failure> {
    let (mut count, mut cursor) = (0, None);
    loop {
        let request = cx.hub.messages(id).query("limit", 100);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        let messages = cx.out.read(&answer)?.messages;
        let is_old = |message: &&Message| is_before(Some(message.created_at), before);
        let old = messages.iter().take_while(is_old).count();
        count += old;
        cursor = answer.next_cursor().map(str::to_owned);
        if old < messages.len() || cursor.is_none() {
            return Ok(count);
        }
    }
}

fn is_before(at: Option<UnixMillis>, before: DateTime<Utc>) -> bool {
    at.and_then(time::utc).is_some_and(|time| time <= before)
}

/// The hub's own time: this machine's clock may be another.
async fn hub_time(cx: &Context) -> Result<DateTime<Utc>, Failure> {
    let time = time::utc(cx.hub.cluster_health().fetch().await?.checked_at);
    time.ok_or_else(|| Failure::Failed("the hub does not tell the time".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(read_age("30d").unwrap(), TimeDelta::days(30));
        assert_eq!(read_age("12h").unwrap(), TimeDelta::hours(12));
        assert_eq!(read_age("2w").unwrap(), TimeDelta::days(14));
        assert_eq!((read_days("48h"), read_days("0d")), (Ok(2), Ok(0)));
        for bad in ["", "d", "30", "-1d", "1.5d", "5é", "99999999999999999w"] {
            assert!(read_age(bad).is_err(), "{bad}");
        }
        assert!(read_days("12h").is_err());
    }
}
