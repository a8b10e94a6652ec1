//! `reef queue`: what of the queue is kept back.

use clap::{Args, Subcommand};
use reef_api::limit::{QueueBody, QueueState};
use reef_client::Request;

use crate::connection::HubArgs;
use crate::failure::Failure;
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
            Verb::Resume => tell(cx, cx.hub.put_queue(&QueueBody::default()).once()).await,
        }
    }
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
