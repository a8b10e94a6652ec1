//! `reef rtt`: how long the way to the hub is, to its Redis, and to its disk.

use std::time::{Duration, Instant};

use clap::Args;
use reef_api::NodeId;
use reef_api::heartbeat::HeartbeatBody;
use reef_api::node::Registration;
use reef_client::{Answer, Error};
use serde::Serialize;

use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::columns;

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef rtt                    to the hub, and to its Redis; changes nothing
  reef rtt --write            to its disk as well, by heartbeats of a node that is made for it
  reef rtt --count 100 --json
";

/// `reef rtt`.
#[derive(Debug, Args)]
pub struct Rtt {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// How often each is asked, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,

    /// Write as well, and wait until that is on a disk: needs the scope write; a node is registered for
    /// it, and removed
    #[arg(long)]
    write: bool,
}

/// How long one way took, in milliseconds.
#[derive(Debug, Serialize)]
struct Way {
    to: &'static str,
    min_ms: f64,
    median_ms: f64,
    max_ms: f64,
    /// How safe a write was when its answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<String>,
}

impl Way {
    fn of(to: &'static str, mut times: Vec<Duration>, durability: Option<String>) -> Self {
        times.sort_unstable();
        let ms = |time: Option<&Duration>| {
            let micros = time.map_or(0.0, |time| time.as_secs_f64() * 1e6);
            micros.round() / 1000.0
        };
        Self {
            to,
            min_ms: ms(times.first()),
            median_ms: ms(times.get(times.len() / 2)),
            max_ms: ms(times.last()),
            durability,
        }
    }
}

impl Rtt {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let hub = &cx.hub;
        let mut ways = Vec::new();
        // Once for the connection, which is kept from then on.
        match hub.get_own(["healthz"]).send().await {
            Ok(_) => {
                let asked = self.ask("hub", async || hub.get_own(["healthz"]).send().await);
                ways.push(asked.await?);
            }
            Err(Error::Problem(problem)) if problem.status == 404 => {
                cx.out
                    .note("what answers here has no route of its own: it runs under another host");
            }
            Err(error) => return Err(error.into()),
        }
        hub.leader().send().await?;
        ways.push(self.ask("its Redis", async || hub.leader().send().await).await?);
        if self.write {
            let node = register(cx).await?;
            let written = self.write(cx, &node, &mut ways).await;
            // Also where something went wrong.
            let removed = hub.remove_node(&node).send().await;
            written?;
            removed?;
        }
        if cx.out.is_json() {
            return Ok(cx.out.line(&serde_json::to_string(&ways)?)?);
        }
        let ms = |ms: f64| format!("{ms:.2} ms");
        let rows = ways.iter().map(|way| {
            let durability = way.durability.clone().unwrap_or_default();
            [way.to.to_owned(), ms(way.min_ms), ms(way.median_ms), ms(way.max_ms), durability]
        });
        Ok(cx.out.line(&columns(["to", "min", "median", "max", "reached"], rows))?)
    }

    /// Asks as often as it was said, one after the other.
    async fn ask<T>(
        &self,
        to: &'static str,
        ask: impl AsyncFn() -> Result<Answer<T>, Error>,
    ) -> Result<Way, Failure> {
        let mut times = Vec::new();
        let mut durability = None;
        for _ in 0..self.count {
            let begun = Instant::now();
            let answer = ask().await?;
            times.push(begun.elapsed());
            durability = answer.durability().map(str::to_owned).or(durability);
        }
        Ok(Way::of(to, times, durability))
    }

    async fn write(&self, cx: &Context, node: &NodeId, ways: &mut Vec<Way>) -> Result<(), Failure> {
        let body = HeartbeatBody::default();
        for (to, level) in [("its Redis, written", "memory"), ("its disk", "disk")] {
            let beat = async || cx.hub.beat(node, &body).durability(level, false).send().await;
            ways.push(self.ask(to, beat).await?);
        }
        Ok(())
    }
}

/// A node that nobody else has.
async fn register(cx: &Context) -> Result<NodeId, Failure> {
    let name = format!("rtt-{}", uuid::Uuid::now_v7().simple());
    let form = Registration {
        hostname: Some(name.clone()),
        platform: Some(std::env::consts::OS.to_owned()),
        arch: reef_worker::arch_of_this_machine().map(str::to_owned),
        available_skills: Some(vec![name]),
        ..Registration::default()
    };
    Ok(cx.hub.register_node(&form).once().fetch().await?.node_id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_has_a_median() {
        let times = [3, 1, 2].map(Duration::from_millis).to_vec();
        let way = Way::of("hub", times, None);
        assert_eq!((way.min_ms, way.median_ms, way.max_ms), (1.0, 2.0, 3.0));
    }
}
