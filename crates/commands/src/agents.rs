//! `reef agents`: who has keys and money at a hub.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::keys::{SaveArgs, tell};
use crate::table::{columns, facts, text, time};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef agents register alice --save alice.key
  reef agents list
";

/// `reef agents`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Agents {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Register an agent, which gets its first key
    #[command(before_help = "Examples:\n  reef agents register alice --save alice.key\n", after_help = EXIT_CODES)]
    Register(RegisterArgs),
    /// Show an agent; what it has, to itself and the admin
    #[command(before_help = "Examples:\n  reef agents show alice\n", after_help = EXIT_CODES)]
    Show(ShowArgs),
    /// List agents, newest first
    #[command(before_help = "Examples:\n  reef agents list --limit 20\n", after_help = EXIT_CODES)]
    List(ListArgs),
}

#[derive(Debug, Args)]
struct RegisterArgs {
    /// An id for it; else the hub makes one
    agent: Option<String>,
    /// Where it is known outside; one agent has it
    #[arg(long, value_name = "ADDRESS")]
    wallet: Option<String>,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    save: SaveArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Which
    agent: String,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Most agents, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

impl Agents {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Register(args) => register(cx, args).await,
            Verb::Show(args) => {
                let answer = cx.hub.get(["agents", &args.agent]).send().await?;
                cx.out.answer(&answer, |agent| {
                    facts([
                        ("agent", text(&agent, "agent_id")),
                        ("name", text(&agent, "display_name")),
                        ("wallet", text(&agent, "wallet_address")),
                        ("since", time(&agent, "created_at")),
                        ("balance", text(&agent, "balance")),
                        ("locked", text(&agent, "locked")),
                        ("available", text(&agent, "available")),
                    ])
                })
            }
            Verb::List(args) => {
                let request = cx.hub.get(["agents"]).query("limit", args.limit);
                let answer = request.maybe_query("cursor", args.cursor).send().await?;
                cx.out.answer(&answer, |found| table(&found))?;
                cx.out.tell_next(&answer);
                Ok(())
            }
        }
    }
}

async fn register(cx: &Context, args: RegisterArgs) -> Result<(), Failure> {
    let file = args.save.reserve()?;
    let body = json!({
        "agent_id": args.agent, "wallet_address": args.wallet, "display_name": args.name,
    });
    let answer = cx.hub.post(["agents", "register"]).json(&body).once().send().await?;
    if !cx.out.is_json() {
        let made: Value = answer.json()?;
        let agent = made.get("agent").unwrap_or(&Value::Null);
        cx.out.line(&format!("registered {}", text(agent, "agent_id")))?;
    }
    tell(cx, &answer, "api_key_info", file)
}

fn table(found: &Value) -> String {
    let agents = found.get("agents").and_then(Value::as_array).cloned().unwrap_or_default();
    let rows = agents.iter().map(|agent| {
        [
            text(agent, "agent_id"),
            text(agent, "display_name"),
            time(agent, "created_at"),
            text(agent, "balance"),
            text(agent, "locked"),
        ]
    });
    columns(["agent", "name", "since", "balance", "locked"], rows)
}
