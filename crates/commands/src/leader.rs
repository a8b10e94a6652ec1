//! `reef leader`: who leads, who did, and who shall.

use std::time::Duration;

use clap::{Args, Subcommand};
use reef_api::NodeId;
use reef_api::cluster::Event;
use reef_api::leader::{CampaignBody, Leadership};
use serde_json::Value;

use crate::connection::HubArgs;
use crate::events::{END, Followed, print_event};
use crate::failure::Failure;
use crate::messages::seconds;
use crate::table::{columns, or_empty, shown, text};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef leader show
  reef leader campaign gpu-1 --ttl 60     for scripts; `reef agent --campaign` keeps it up
";

/// `reef leader`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Leader {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say who leads; exit code 1 if nobody does
    #[command(before_help = "Examples:\n  reef leader show\n  reef leader show --json\n", after_help = EXIT_CODES)]
    Show,
    /// Say who leads, now and whenever it changes
    #[command(before_help = "Examples:\n  reef leader watch\n", after_help = EXIT_CODES)]
    Watch(WatchArgs),
    /// Let a node take or renew the leadership; exit code 1 if another one leads
    #[command(before_help = "Examples:\n  reef leader campaign gpu-1 --ttl 60\n", after_help = EXIT_CODES)]
    Campaign(CampaignArgs),
    /// Hand the leadership back
    #[command(before_help = "Examples:\n  reef leader resign gpu-1\n  reef leader resign gpu-1 --term 7\n", after_help = EXIT_CODES)]
    Resign(ResignArgs),
    /// List what has happened to the leadership, newest first; the last 100 are kept
    #[command(before_help = "Examples:\n  reef leader history --limit 10\n", after_help = EXIT_CODES)]
    History(HistoryArgs),
}

#[derive(Debug, Args)]
struct WatchArgs {
    /// How long to try to come back when the stream is cut, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    give_up_after: Duration,
}

#[derive(Debug, Args)]
struct CampaignArgs {
    /// The node that shall lead
    node: NodeId,
    /// How long the leadership is its own, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    ttl: Duration,
    /// Which registration of the node leads, as the hub answered it; else the present one
    #[arg(long, value_name = "N")]
    incarnation: Option<i64>,
}

#[derive(Debug, Args)]
struct ResignArgs {
    /// The node that leads
    node: NodeId,
    /// Under which term; else under the present one, if the node leads
    #[arg(long)]
    term: Option<i64>,
}

#[derive(Debug, Args)]
struct HistoryArgs {
    /// Most entries, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

impl Leader {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Show => show(cx).await,
            Verb::Watch(args) => watch(cx, args).await,
            Verb::Campaign(args) => campaign(cx, args).await,
            Verb::Resign(args) => resign(cx, args).await,
            Verb::History(args) => history(cx, args).await,
        }
    }
}

async fn show(cx: &Context) -> Result<(), Failure> {
    let answer = cx.hub.leader().send().await?;
    cx.out.answer(&answer, |leadership| sentence(&leadership))?;
    answer.value()?.leader.map(|_| ()).ok_or(Failure::Found)
}

/// Who leads, for how long.
pub(crate) fn sentence(leadership: &Leadership) -> String {
    let Leadership { leader: Some(leader), term, ttl_ms } = leadership else {
        return "nobody leads".to_owned();
    };
    #[allow(clippy::cast_precision_loss, reason = "a lease has a few minutes")]
    let left = *ttl_ms as f64 / 1000.0;
    format!("{} leads in term {term}, for {left:.1} s more", shown(leader))
}

async fn watch(cx: &Context, args: WatchArgs) -> Result<(), Failure> {
    let stream = cx.hub.stream(["events", "stream"]).after(END);
    let mut stream = Followed(stream.give_up_after(args.give_up_after).open());
    let mut is_shown = false;
    while let Some(event) = stream.next(&cx.out).await {
        let event = event?;
        if !std::mem::replace(&mut is_shown, true) && !cx.out.is_json() {
            // Asked for once the stream has begun, so that no change falls between the two.
            cx.out.line(&sentence(&cx.hub.leader().fetch().await?))?;
        }
        if event.event != "leader_changed" {
            continue;
        }
        if cx.out.is_json() {
            print_event(&cx.out, &event)?;
            continue;
        }
        let told: Event = event.json()?;
        let payload: Value = serde_json::from_str(told.payload.get())?;
        let who = match text(&payload, "leader") {
            leader if leader.is_empty() => {
                format!("nobody leads; {} did", text(&payload, "previous"))
            }
            leader => format!("{leader} leads in term {}", text(&payload, "term")),
        };
        cx.out.line(&format!("{}  {who}", time::of(told.timestamp)))?;
    }
    Ok(())
}

async fn campaign(cx: &Context, args: CampaignArgs) -> Result<(), Failure> {
    let body = CampaignBody {
        node_id: Some(args.node),
        ttl_ms: Some(i64::try_from(args.ttl.as_millis()).unwrap_or(i64::MAX)),
        incarnation: args.incarnation,
    };
    let answer = cx.hub.campaign(&body).send().await?;
    cx.out.answer(&answer, |campaigned| sentence(&campaigned.leadership()))?;
    if answer.value()?.is_leader { Ok(()) } else { Err(Failure::Found) }
}

async fn resign(cx: &Context, args: ResignArgs) -> Result<(), Failure> {
    let term = match args.term {
        Some(term) => term,
        None => {
            let now = cx.hub.leader().fetch().await?;
            if now.leader.as_ref() != Some(&args.node) {
                let words = format!("{} does not lead: {}", args.node, sentence(&now));
                return Err(Failure::Failed(words));
            }
            now.term
        }
    };
    let answer = cx.hub.resign(&args.node, term).once().send().await?;
    cx.out.answer(&answer, |_| format!("{} has resigned from term {term}", args.node))
}

async fn history(cx: &Context, args: HistoryArgs) -> Result<(), Failure> {
    let answer = cx.hub.leaders().query("limit", args.limit).send().await?;
    let entries = cx.out.read(&answer)?;
    if entries.is_empty() && !cx.out.is_json() {
        cx.out.note("nobody has led yet");
        return Ok(());
    }
    cx.out.shown(&answer, || {
        let rows = entries.into_iter().map(|entry| {
            let (event, node) = (entry.event, entry.node_id.to_string());
            [time::of(entry.timestamp), or_empty(entry.term), event, node]
        });
        columns(["time", "term", "event", "node"], rows)
    })
}
