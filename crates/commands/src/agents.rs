//! `reef agents`: who has keys and money at a hub.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reef_api::AgentId;
use reef_api::agent::{
    AgentBody, AgentChange, AgentList, AgentRegistered, AgentStatus, ShownAgent,
};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::invites::{self, InviteArgs, RevokeInviteArgs};
use crate::keys::{SaveArgs, tell};
use crate::table::{columns, facts, or_empty, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef agents register alice --save alice.key
  reef agents invite --uses 5 --expires-in 1d --save fleet.invite
  reef agents suspend alice
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
    ///
    /// It takes the admin key, which is found by itself on the hub's own machine, or an invite.
    #[command(before_help = "Examples:\n  reef agents register alice --save alice.key\n  reef agents register alice --invite-file fleet.invite --save alice.key\n", after_help = EXIT_CODES)]
    Register(RegisterArgs),
    /// Make an invite, with which somebody registers who has no key; it is shown this once
    #[command(before_help = "Examples:\n  reef agents invite --save alice.invite\n  reef agents invite --uses 20 --expires-in 12h --scope read --scope write --save fleet.invite\n", after_help = EXIT_CODES)]
    Invite(InviteArgs),
    /// List open invites: all about them but the invites
    #[command(before_help = "Examples:\n  reef agents invites\n", after_help = EXIT_CODES)]
    Invites(ListArgs),
    /// Revoke an invite: from then on it lets nobody in
    #[command(before_help = "Examples:\n  reef agents revoke-invite INVITE_ID\n", after_help = EXIT_CODES)]
    RevokeInvite(RevokeInviteArgs),
    /// Suspend an agent: all its keys are refused at once, everywhere
    #[command(before_help = "Examples:\n  reef agents suspend alice\n", after_help = EXIT_CODES)]
    Suspend(ShowArgs),
    /// Let an agent go on that was suspended
    #[command(before_help = "Examples:\n  reef agents resume alice\n", after_help = EXIT_CODES)]
    Resume(ShowArgs),
    /// Remove an agent that has no money left; its id is nobody else's afterwards
    #[command(before_help = "Examples:\n  reef agents remove alice\n", after_help = EXIT_CODES)]
    Remove(ShowArgs),
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
    /// File that holds an invite, which is sent in place of a key; - reads standard input
    #[arg(long, value_name = "FILE")]
    invite_file: Option<PathBuf>,
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
            Verb::Invite(args) => invites::make(cx, args).await,
            Verb::Invites(args) => invites::list(cx, args.limit).await,
            Verb::RevokeInvite(args) => invites::revoke(cx, &args.invite_id).await,
            Verb::Suspend(args) => set_status(cx, &args.agent, AgentStatus::Suspended).await,
            Verb::Resume(args) => set_status(cx, &args.agent, AgentStatus::Active).await,
            Verb::Remove(args) => {
                let answer = cx.hub.remove_agent(&args.agent).send().await?;
                cx.out.answer(&answer, |_| format!("removed {}", args.agent))
            }
            Verb::Show(args) => {
                let answer = cx.hub.agent(&args.agent).send().await?;
                cx.out.answer(&answer, |ShownAgent { agent, money }| {
                    facts([
                        ("agent", agent.agent_id.into()),
                        ("name", or_empty(agent.display_name)),
                        ("wallet", or_empty(agent.wallet_address)),
                        ("status", agent.status.to_string()),
                        ("since", time::of(agent.created_at)),
                        ("balance", or_empty(money.map(|it| it.balance))),
                        ("locked", or_empty(money.map(|it| it.locked))),
                        ("available", or_empty(money.map(|it| it.available))),
                    ])
                })
            }
            Verb::List(args) => {
                let request = cx.hub.agents().query("limit", args.limit);
                let answer = request.maybe_query("cursor", args.cursor).send().await?;
                cx.out.answer(&answer, table)?;
                cx.out.tell_next(&answer);
                Ok(())
            }
        }
    }
}

async fn register(cx: &Context, args: RegisterArgs) -> Result<(), Failure> {
    let file = args.save.reserve()?;
    let body = AgentBody {
        agent_id: args.agent.map(AgentId::from),
        wallet_address: args.wallet,
        display_name: args.name,
        metadata: None,
    };
    let answer = match &args.invite_file {
        None => cx.hub.register_agent(&body).once().send().await?,
        Some(file) => {
            let hub = cx.hub.with_key(Some(invites::read(file)?))?;
            hub.register_agent(&body).once().send().await.map_err(invites::refused)?
        }
    };
    let AgentRegistered { agent, api_key, api_key_info, .. } = cx.out.read(&answer)?;
    if !cx.out.is_json() {
        cx.out.line(&format!("registered {}", shown(agent.agent_id)))?;
    }
    tell(cx, &answer, api_key, api_key_info, file)
}

async fn set_status(cx: &Context, agent: &str, status: AgentStatus) -> Result<(), Failure> {
    let body = AgentChange { status: Some(status.into()) };
    let answer = cx.hub.change_agent(agent, &body).send().await?;
    cx.out.answer(&answer, |_| format!("{agent} is {status}"))
}

fn table(found: AgentList) -> String {
    let rows = found.agents.into_iter().map(|ShownAgent { agent, money }| {
        [
            agent.agent_id.into(),
            or_empty(agent.display_name),
            agent.status.to_string(),
            time::of(agent.created_at),
            or_empty(money.map(|it| it.balance)),
            or_empty(money.map(|it| it.locked)),
        ]
    });
    columns(["agent", "name", "status", "since", "balance", "locked"], rows)
}
