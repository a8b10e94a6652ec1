//! `reef top`: the cluster at a glance, drawn anew every few seconds.

use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use reef_api::cluster::ClusterHealth;
use reef_api::leader::Leadership;
use reef_api::node::{Node, NodeStatus};
use reef_api::task::TaskStats;
use reef_client::{Error, Kept};
use serde::Serialize;

use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::health::reason;
use crate::messages::seconds;
use crate::table::shown;
use crate::{leader, nodes};

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef top                 until Ctrl-C
  reef top --once | head   one picture, for pipes and logs
";

/// The lines of a terminal that does not say how many it has.
const LINES: usize = 24;
/// The lines above the nodes, and the one that the cursor needs.
const HEAD: usize = 6;

/// `reef top`.
#[derive(Debug, Args)]
pub struct Top {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// Draw one picture and end; so it is, too, where the output is no terminal
    #[arg(long)]
    once: bool,

    /// The pause between two pictures, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    interval: Duration,

    /// Most nodes; on a terminal what fits
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// What a picture shows.
#[derive(Debug, Serialize)]
struct Picture {
    health: Kept<ClusterHealth>,
    leader: Kept<Leadership>,
    tasks: Kept<TaskStats>,
    nodes: Vec<Kept<Node>>,
}

impl Top {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        if self.once || cx.out.is_json() || !cx.out.is_terminal() {
            let picture = self.look(cx).await?;
            let text = if cx.out.is_json() {
                serde_json::to_string(&picture)?
            } else {
                picture.draw(usize::MAX)
            };
            return Ok(cx.out.line(&text)?);
        }
        let _screen = cx.out.take_screen()?;
        loop {
            let drawn = match self.look(cx).await {
                Ok(picture) => picture.draw(terminal_lines()),
                // The hub may be restarting: the next picture says how it went on.
                Err(error) if error.is_transient() => format!("{error}\n\ntrying again"),
                Err(error) => return Err(error.into()),
            };
            cx.out.draw(&drawn)?;
            tokio::time::sleep(self.interval.max(Duration::from_millis(100))).await;
        }
    }

    /// As many nodes as are wanted: a page may end before its limit.
    async fn nodes(&self, cx: &Context) -> Result<Vec<Kept<Node>>, Error> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let (mut nodes, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let limit = wanted - nodes.len();
            let request = cx.hub.nodes().query("limit", limit).answering::<Vec<Kept<Node>>>();
            let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
            nodes.extend(answer.value()?);
            cursor = answer.next_cursor().map(str::to_owned);
            if nodes.len() >= wanted || cursor.is_none() {
                return Ok(nodes);
            }
        }
    }

    async fn look(&self, cx: &Context) -> Result<Picture, Error> {
        let hub = &cx.hub;
        let (health, leader, tasks, nodes) = futures_util::try_join!(
            hub.cluster_health().answering().fetch(),
            hub.leader().answering().fetch(),
            hub.task_stats().answering().fetch(),
            self.nodes(cx),
        )?;
        Ok(Picture { health, leader, tasks, nodes })
    }
}

impl Picture {
    /// The picture, in so many lines at most.
    fn draw(&self, lines: usize) -> String {
        let (health, tasks) = (&self.health.value, &self.tasks.value);
        let mut parts = vec![
            format!(
                "{} nodes: {} online, {} busy, {} offline    {} of {} places in use",
                health.total_nodes,
                health.online_nodes,
                health.busy_nodes,
                health.offline_nodes,
                health.used_capacity,
                health.total_capacity,
            ),
            format!(
                "tasks: {} running, {} waiting, {} completed, {} failed, {} dead",
                tasks.running, tasks.waiting, tasks.completed, tasks.failed, tasks.dead,
            ),
            leader::sentence(&self.leader.value),
        ];
        if health.expiry.suspended {
            parts.push(format!("nobody is marked offline: {}", shown(reason(&health.expiry))));
        }
        let fitting = lines.saturating_sub(HEAD).max(1);
        let mut nodes: Vec<&Node> = self.nodes.iter().map(|node| &node.value).collect();
        // Whoever works comes first.
        nodes.sort_by_key(|node| {
            let rank = match node.status.known() {
                Some(NodeStatus::Busy) => 0,
                Some(NodeStatus::Online) => 1,
                Some(NodeStatus::Maintenance | NodeStatus::Error) => 2,
                Some(NodeStatus::Offline) | None => 3,
            };
            (rank, -node.running_tasks)
        });
        nodes.truncate(fitting);
        parts.push(String::new());
        parts.push(nodes::rows(nodes.into_iter()));
        parts.join("\n")
    }
}

/// How many lines the terminal has, as the system's own `stty` says.
fn terminal_lines() -> usize {
    let asked = Command::new("stty").arg("size").stdin(Stdio::inherit()).output();
    let size = asked.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let lines = size.and_then(|size| size.split(' ').next()?.parse().ok());
    lines.filter(|lines| *lines > 0).unwrap_or(LINES)
}

#[cfg(test)]
mod tests {
    use reef_api::heartbeat::Expiry;

    use super::*;

    #[test]
    fn a_picture_fits_and_shows_whoever_works_first() {
        fn kept<T: serde::de::DeserializeOwned>(value: &impl Serialize) -> Kept<T> {
            serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap()
        }
        let node = |id: &str, status: NodeStatus| {
            kept(&Node { node_id: id.into(), status: status.into(), ..Node::default() })
        };
        let offline = |n| node(&format!("off-{n}"), NodeStatus::Offline);
        let mut nodes: Vec<_> = (0..50).map(offline).collect();
        nodes.push(node("works", NodeStatus::Online));
        let expiry = Expiry { suspended: true, reason: Some("why".to_owned()) };
        let picture = Picture {
            health: kept(&ClusterHealth { total_nodes: 51, expiry, ..ClusterHealth::default() }),
            leader: kept(&Leadership { leader: Some("works".into()), term: 3, ttl_ms: 1500 }),
            tasks: kept(&TaskStats { running: 7, ..TaskStats::default() }),
            nodes,
        };
        let drawn = picture.draw(24);
        assert!(drawn.lines().count() <= 24, "{drawn}");
        for said in ["51 nodes", "7 running", "works leads in term 3, for 1.5 s", "offline: why"] {
            assert!(drawn.contains(said), "{said}: {drawn}");
        }
        let row = drawn.lines().position(|line| line.starts_with("NODE")).unwrap() + 1;
        assert!(drawn.lines().nth(row).unwrap().starts_with("works"), "{drawn}");
        assert!(picture.draw(usize::MAX).contains("off-49"));
    }
}
