//! `reef verify`: whether the cluster is as it should be. Asks the hub alone, so that it works from
//! anywhere.

use clap::Args;
use futures_util::StreamExt as _;
use reef_api::cluster::ClusterHealth;
use reef_api::leader::Leadership;
use reef_api::node::{Node, NodeStatus};
use reef_api::task::{Task, TaskStats, TaskStatus};
use reef_api::time::UnixMillis;
use reef_client::{Error, Hub};

use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::finding::{Finding, conclude};
use crate::health::reason;
use crate::nagios;
use crate::table::{or_empty, shown};

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef verify                     exit code 0 only if all is well
  reef verify --strict --json     the same for programs; a warning counts, too
  reef check --nagios             one line with figures; exit code 0, 1, 2 or 3
";

/// How many nodes and tasks are looked at.
const LOOKED_AT_MAX: u32 = 1000;
/// How many inboxes are asked for at once.
const AT_ONCE: usize = 16;
/// How many names a sentence lists.
const NAMED_MAX: usize = 5;

/// `reef verify`.
#[derive(Debug, Args)]
#[command(visible_alias = "check")]
pub struct Verify {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// Let warnings count as failures
    #[arg(long)]
    strict: bool,

    /// From how many waiting messages on an inbox is worth a warning
    #[arg(long, value_name = "N", default_value_t = 100)]
    inbox_depth: i64,

    /// Say it as a plugin of Nagios does: one line with figures; exit code 0 if all is well, 1 with
    /// warnings, 2 if something is wrong or the hub does not answer, 3 if it could not be asked
    #[arg(long, conflicts_with_all = ["json", "strict"])]
    pub(crate) nagios: bool,
}

impl Verify {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let hub = &cx.hub;
        // Without these nothing else can be said.
        let health = hub.cluster_health().fetch().await?;
        let nodes = hub.nodes().query("limit", LOOKED_AT_MAX).fetch().await?;
        let mut findings = readiness(hub).await;
        findings.push(leader(hub, &nodes).await?);
        findings.extend(registry(&health, &nodes));
        findings.push(inboxes(hub, &nodes, self.inbox_depth).await?);
        findings.extend(tasks(hub, &nodes, health.checked_at).await?);
        findings.push(monitor(hub, &health).await);
        if self.nagios {
            return nagios::conclude(cx, &findings).await;
        }
        conclude(cx, &findings, self.strict)
    }
}

/// Whether Redis can be written, what about it could lose data, and whether the hosts that share it
/// agree: the hub knows best.
async fn readiness(hub: &Hub) -> Vec<Finding> {
    let cure = "`reef config check` on the hub's machine says more";
    match hub.readiness().fetch().await {
        Ok(ready) => judge_warnings(&ready.warnings, cure),
        Err(error) => vec![Finding::fail("redis", error.to_string(), cure)],
    }
}

fn judge_warnings(warnings: &[impl AsRef<str>], cure: &str) -> Vec<Finding> {
    let (hosts, redis): (Vec<_>, Vec<_>) =
        warnings.iter().map(AsRef::as_ref).partition(|words| is_about_hosts(words));
    let mut findings = vec![if redis.is_empty() {
        Finding::ok("redis", "it can be written")
    } else {
        Finding::warn("redis", redis.join("; "), cure)
    }];
    findings.extend(hosts_of(&hosts));
    findings
}

/// Whether a warning of `/readyz` is about several hosts.
fn is_about_hosts(words: &str) -> bool {
    ["hosts of one hub", "this Redis also holds"].iter().any(|start| words.starts_with(start))
}

/// What is said of hosts that disagree.
fn hosts_of(warnings: &[&str]) -> Option<Finding> {
    let cure = "give all hosts and components of one hub the same settings (`reef config show \
                --origin` says where one comes from), and each hub a key_prefix of its own";
    let words = warnings.join("; ");
    if warnings.is_empty() {
        None
    } else if warnings.iter().any(|words| words.contains("a hub works on them now")) {
        Some(Finding::fail("hosts", words, cure))
    } else {
        Some(Finding::warn("hosts", words, cure))
    }
}

/// Whether the hosts that share the hub's Redis agree, for `reef doctor`; nothing where they do, or
/// nobody knows.
pub(crate) async fn hosts(hub: &Hub) -> Option<Finding> {
    let ready = hub.readiness().fetch().await.ok()?;
    let about = ready.warnings.iter().map(String::as_str).filter(|words| is_about_hosts(words));
    hosts_of(&about.collect::<Vec<_>>())
}

/// Whether somebody leads who can.
async fn leader(hub: &Hub, nodes: &[Node]) -> Result<Finding, Error> {
    let Leadership { leader, term, .. } = hub.leader().fetch().await?;
    let Some(leader) = leader else {
        let cure = "start `reef agent --campaign` on a machine that may lead";
        // A term says that somebody has led.
        return Ok(match term {
            0 => Finding::warn("leader", "nobody leads, and nobody ever has", cure),
            term => Finding::fail("leader", format!("nobody leads; term {term} is over"), cure),
        });
    };
    let found = nodes.iter().find(|node| node.node_id == leader);
    let cure = "it loses the leadership when its lease runs out, unless it comes back";
    let leader = shown(leader);
    Ok(match found.map(|node| &node.status) {
        Some(status) if status.is_any(&[NodeStatus::Online, NodeStatus::Busy]) => {
            Finding::ok("leader", format!("{leader} leads in term {term}"))
        }
        None => Finding::warn("leader", format!("{leader} leads and is no registered node"), cure),
        Some(status) => Finding::fail("leader", format!("{leader} leads and is {status}"), cure),
    })
}

/// The registry against the heartbeats.
fn registry(health: &ClusterHealth, nodes: &[Node]) -> Vec<Finding> {
    let counted: i64 = health.nodes_by_status.counts().iter().map(|(_, count)| count).sum();
    let total = health.total_nodes;
    let alive = health.online_nodes + health.busy_nodes;
    let nodes_found = if counted != total {
        let words = format!("{total} nodes are registered, and {counted} have a status");
        Finding::fail("nodes", words, "report this: it must not happen")
    } else if alive == 0 {
        let words = format!("{total} registered, none online");
        Finding::fail("nodes", words, "start `reef agent` or `reef worker` on a machine")
    } else {
        let is_lost = |node: &&Node| node.status.is_any(&[NodeStatus::Offline, NodeStatus::Error]);
        let lost: Vec<_> = nodes.iter().filter(is_lost).map(|node| shown(&node.node_id)).collect();
        let words = format!("{total} registered, {alive} online");
        if lost.is_empty() {
            Finding::ok("nodes", words)
        } else {
            Finding::warn(
                "nodes",
                format!("{words}; not online: {}", some(&lost)),
                "start them again, or let the hub forget them with `reef nodes remove`",
            )
        }
    };
    let silent = health.timeout_nodes_count;
    let heartbeats = if health.expiry.suspended {
        let why = reason(&health.expiry);
        Finding::fail("heartbeats", why, "look at the network between the nodes and the hub")
    } else if silent > 0 {
        // For a moment this is right: the monitor comes once a second.
        let words = format!("{silent} nodes are called online and have been silent for too long");
        Finding::warn("heartbeats", words, "if it stays so, nobody monitors: see below")
    } else {
        Finding::ok("heartbeats", format!("all {alive} online nodes were heard of in time"))
    };
    vec![nodes_found, heartbeats]
}

/// How much mail waits for those who are online.
async fn inboxes(hub: &Hub, nodes: &[Node], depth_max: i64) -> Result<Finding, Error> {
    let online = nodes.iter().filter(|node| node.status != NodeStatus::Offline);
    let ids: Vec<String> = online.map(|node| node.node_id.to_string()).collect();
    let depths: Vec<_> = futures_util::stream::iter(ids)
        .map(|id| async move {
            let depth = hub.mail(&id).query("limit", 1).fetch().await?.depth;
            let dead = hub.dead_mail(&id).query("limit", 1).fetch().await?.messages;
            Ok((id, depth, !dead.is_empty()))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (mut total, mut full, mut dead) = (0, Vec::new(), Vec::new());
    for looked in depths {
        let (id, depth, has_dead): (String, i64, bool) = match looked {
            Ok(found) => found,
            // What is somebody else's cannot be seen with a key that is not the admin's.
            Err(Error::Problem(problem)) if matches!(problem.status, 403 | 404) => continue,
            Err(error) => return Err(error),
        };
        total += depth;
        if depth >= depth_max {
            full.push(format!("{id} ({depth})"));
        }
        if has_dead {
            dead.push(id);
        }
    }
    Ok(if !full.is_empty() {
        let words = format!("mail piles up: {}", some(&full));
        Finding::warn("inboxes", words, "look whether these agents still receive")
    } else if !dead.is_empty() {
        let words = format!("mail that nobody acknowledged in five tries: {}", some(&dead));
        Finding::warn("inboxes", words, "`reef inbox dead AGENT` shows it, `redrive` repeats it")
    } else {
        Finding::ok("inboxes", format!("{total} messages wait"))
    })
}

/// Leases of tasks that nobody can keep, and what has failed for good.
async fn tasks(hub: &Hub, nodes: &[Node], now: UnixMillis) -> Result<Vec<Finding>, Error> {
    let running = hub.tasks().query("status", TaskStatus::Running).query("limit", LOOKED_AT_MAX);
    let running = running.fetch().await?;
    let TaskStats { waiting, dead, .. } = hub.task_stats().fetch().await?;
    let is_alive = |task: &Task| {
        let node = nodes.iter().find(|node| Some(&node.node_id) == task.assigned_node.as_ref());
        node.is_some_and(|node| node.status != NodeStatus::Offline)
    };
    // With more nodes than were looked at, one that was not found proves nothing.
    let knows_all = nodes.len() < usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
    let stale: Vec<String> = running
        .iter()
        .filter(|task| (knows_all && !is_alive(task)) || is_overdue(task, now))
        .map(|task| format!("{} on {}", task.task_id, or_empty(task.assigned_node.as_ref())))
        .map(shown)
        .collect();
    let leases = if stale.is_empty() {
        Finding::ok("leases", format!("{} tasks run, each on a live node", running.len()))
    } else {
        let words = format!("tasks whose lease should be over: {}", some(&stale));
        Finding::fail("leases", words, "the monitor gives them back; see whether one works")
    };
    let queue = if dead > 0 {
        let words = format!("{waiting} tasks wait, {dead} have failed for good");
        Finding::warn("queue", words, "`reef tasks dead` lists them, `reef tasks redrive` repeats")
    } else {
        Finding::ok("queue", format!("{waiting} tasks wait, none has failed for good"))
    };
    Ok(vec![leases, queue])
}

/// Whether a task runs longer than it may, with a minute for the clean-up.
fn is_overdue(task: &Task, now: UnixMillis) -> bool {
    task.started_at.is_some_and(|started| now.0 - started.0 > task.timeout.ms + 60_000)
}

/// Whether somebody looks after what is due.
async fn monitor(hub: &Hub, health: &ClusterHealth) -> Finding {
    let start = "start `reef monitor` beside the hub, or see why it does not work in its log";
    let is_behind =
        |health: &ClusterHealth| health.timeout_nodes_count > 0 && !health.expiry.suspended;
    if is_behind(health) {
        // Once more, a good while after it should have been done.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        if is_behind(&hub.cluster_health().fetch().await.unwrap_or_default()) {
            return Finding::fail("monitor", "nobody marks silent nodes offline", start);
        }
    }
    let text = match hub.get_own(["metrics"]).send().await {
        Ok(answer) => String::from_utf8_lossy(answer.body()).into_owned(),
        Err(_) => {
            let words =
                "what answers here runs no monitor of its own, and silent nodes there are none";
            return Finding::ok("monitor", words);
        }
    };
    let value = |name: &str| metric(&text, name);
    match (value("reef_monitor_leading"), value("reef_monitor_term")) {
        (Some(leading), Some(term)) if leading > 0.0 => {
            Finding::ok("monitor", format!("this hub is the monitor, in term {term}"))
        }
        (Some(_), Some(term)) if term > 0.0 => {
            Finding::ok("monitor", format!("another host is the monitor, in term {term}"))
        }
        (Some(_), _) => Finding::warn("monitor", "this hub has not heard of a monitor yet", start),
        (None, _) => {
            Finding::ok("monitor", "this hub runs no monitor, and silent nodes there are none")
        }
    }
}

/// The value of a metric without labels.
fn metric(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The first few of these.
fn some(names: &[String]) -> String {
    let mut shown = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = names.len().checked_sub(NAMED_MAX) {
        shown.push_str(&format!(" and {more} more"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use reef_api::cluster::NodesByStatus;
    use reef_api::heartbeat::Expiry;
    use reef_api::task::Seconds;

    use super::*;
    use crate::finding::Level;

    #[test]
    fn the_registry_is_judged_by_its_counts() {
        let health = |online: i64, silent: i64, suspended: bool| ClusterHealth {
            total_nodes: 2,
            online_nodes: online,
            nodes_by_status: NodesByStatus {
                online,
                offline: 2 - online,
                ..NodesByStatus::default()
            },
            timeout_nodes_count: silent,
            expiry: Expiry { suspended, reason: suspended.then(|| "why".to_owned()) },
            ..ClusterHealth::default()
        };
        let node = |id: &str, status: NodeStatus| Node {
            node_id: id.into(),
            status: status.into(),
            ..Node::default()
        };
        let nodes = [node("a", NodeStatus::Online), node("b", NodeStatus::Offline)];
        let levels = |health: &ClusterHealth| {
            registry(health, &nodes).iter().map(|finding| finding.status).collect::<Vec<_>>()
        };
        assert_eq!(levels(&health(1, 0, false)), [Level::Warn, Level::Ok]);
        assert_eq!(levels(&health(0, 0, false)), [Level::Fail, Level::Ok]);
        assert_eq!(levels(&health(1, 1, false)), [Level::Warn, Level::Warn]);
        assert_eq!(levels(&health(1, 1, true)), [Level::Warn, Level::Fail]);
        let odd = ClusterHealth { total_nodes: 7, ..health(1, 0, false) };
        assert_eq!(levels(&odd)[0], Level::Fail);
    }

    #[test]
    fn hosts_that_disagree_are_a_line_of_their_own() {
        let levels = |warnings: &[&str]| {
            let findings = judge_warnings(warnings, "cure");
            findings.iter().map(|finding| finding.status).collect::<Vec<_>>()
        };
        assert_eq!(levels(&[]), [Level::Ok]);
        assert_eq!(levels(&["Redis only takes snapshots"]), [Level::Warn]);
        assert_eq!(levels(&["hosts of one hub are set differently"]), [Level::Ok, Level::Warn]);
        let two = "this Redis also holds a hub's data, and a hub works on them now";
        assert_eq!(levels(&["Redis only takes snapshots", two]), [Level::Warn, Level::Fail]);
    }

    #[test]
    fn a_task_is_overdue_a_minute_after_its_timeout() {
        let started_at = Some(UnixMillis(0));
        let task = Task { started_at, timeout: Seconds { ms: 30_000 }, ..Task::default() };
        assert!(!is_overdue(&task, UnixMillis(80_000)));
        assert!(is_overdue(&task, UnixMillis(91_000)));
        assert!(!is_overdue(&Task { started_at: None, ..task }, UnixMillis(91_000)));
    }

    #[test]
    fn metrics_and_names_are_read() {
        let text = "# TYPE reef_monitor_term gauge\nreef_monitor_term_x 1\nreef_monitor_term 7\n";
        assert_eq!(metric(text, "reef_monitor_term"), Some(7.0));
        assert_eq!(metric(text, "reef_monitor_leading"), None);
        let names: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        assert_eq!(some(&names), "0, 1, 2, 3, 4 and 2 more");
        assert_eq!(some(&names[..5]), "0, 1, 2, 3, 4");
    }
}
