//! `reef queue`: what of the queue is kept back.

use clap::{Args, Subcommand};
use reef_api::fairness::{Fairness, FairnessBody};
use reef_api::limit::{QueueBody, QueueState};
use reef_client::Request;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, shown};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef queue pause --skill gpu
  reef queue show
  reef queue resume
";

/// `reef queue`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Queue {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what is kept back
    #[command(before_help = "Examples:\n  reef queue show\n", after_help = EXIT_CODES)]
    Show,
    /// Let no task begin, or none that requires one of these skills or is of one of these types; what
    /// runs goes on
    #[command(before_help = "Examples:\n  reef queue pause\n  reef queue pause --skill gpu --type interactive\n", after_help = EXIT_CODES)]
    Pause(PauseArgs),
    /// Let all tasks begin
    #[command(before_help = "Examples:\n  reef queue resume\n", after_help = EXIT_CODES)]
    Resume,
    /// Show the weights of keys of fairness, or set all of them
    #[command(before_help = "Examples:\n  reef queue weights\n  reef queue weights acme=3 umbrella=0.5\n  reef queue weights --none\n", after_help = EXIT_CODES)]
    Weights(WeightsArgs),
}

#[derive(Debug, Args)]
struct WeightsArgs {
    /// A key and its weight, 0.001 to 1000; keys that are not named have none
    #[arg(value_name = "KEY=WEIGHT", value_parser = weight)]
    weights: Vec<(String, f64)>,
    /// No key has one
    #[arg(long, conflicts_with = "weights")]
    none: bool,
}

/// Reads a weight as it is typed.
fn weight(text: &str) -> Result<(String, f64), String> {
    let pair = text.rsplit_once('=').and_then(|(key, weight)| Some((key, weight.parse().ok()?)));
    let (key, weight) = pair.ok_or_else(|| format!("{text:?} is no weight such as acme=3"))?;
    Ok((key.to_owned(), weight))
}

#[derive(Debug, Args)]
struct PauseArgs {
    /// Only tasks that require this skill; repeatable
    #[arg(long = "skill", value_name = "SKILL")]
    skills: Vec<String>,
    /// Only tasks of this type; repeatable
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
}

impl Queue {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Show => tell(cx, cx.hub.queue()).await,
            Verb::Pause(PauseArgs { skills, types }) => {
                let body = QueueBody {
                    paused: Some(skills.is_empty() && types.is_empty()),
                    paused_skills: Some(skills),
                    paused_types: Some(types),
                };
                tell(cx, cx.hub.put_queue(&body).once()).await
            }
            Verb::Weights(args) => weights(cx, args).await,
            Verb::Resume => tell(cx, cx.hub.put_queue(&QueueBody::default()).once()).await,
        }
    }
}

async fn weights(cx: &Context, args: WeightsArgs) -> Result<(), Failure> {
    let request = if args.weights.is_empty() && !args.none {
        cx.hub.fairness()
    } else {
        let weights = Some(args.weights.into_iter().collect());
        cx.hub.put_fairness(&FairnessBody { weights }).once()
    };
    cx.out.answer(&request.send().await?, |Fairness { weights }| {
        let rows = weights.iter().map(|(key, weight)| [shown(key), weight.to_string()]);
        columns(["KEY", "WEIGHT"], rows)
    })
}

async fn tell(cx: &Context, request: Request<QueueState>) -> Result<(), Failure> {
    cx.out.answer(&request.send().await?, |QueueState { paused, paused_skills, paused_types }| {
        let some = [("that require", paused_skills), ("of the type", paused_types)];
        let some = some.iter().filter(|(_, names)| !names.is_empty());
        let some = some.map(|(what, names)| format!("tasks {what} {}", names.join(", ")));
        match some.collect::<Vec<_>>() {
            _ if paused => "paused: no task begins".to_owned(),
            some if some.is_empty() => "not paused".to_owned(),
            some => format!("paused: {}", some.join("; ")),
        }
    })
}
