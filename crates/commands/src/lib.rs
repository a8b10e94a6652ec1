//! The client's side of the command line: what `reef` can ask a hub. The host's side (`reef up`
//! and its like) knows this crate only by [`ClientCommand`] and [`run`].
//!
//! A group of commands is a file: its flags, what is sent, and how the answer looks to people.
//! What all of them share:
//!
//! - `connection`: which hub, and with which key.
//! - `output`: everything that is printed.
//! - `failure`: how a command ends when it does not end well.
//! - `finding`: what `verify` and `doctor` have found.
//!
//! With `--json` a command prints what the hub has answered, with characters that nobody sees written
//! as `\u` escapes; an event stream is one object a line.
//!
//! Texts of others go through `reef_domain::shown` where they are printed: `table::text` and its like
//! for what stands in a line, [`output::Output`] for the rest. A text that is followed
//! (`messages tail`) is passed on to programs as it is.

mod admin;
mod agent;
mod agents;
mod archive;
mod audit;
mod bench;
mod collab;
mod connection;
mod contexts;
mod debug;
mod demo;
mod doctor;
mod events;
mod failure;
mod finding;
mod flows;
mod groups;
mod health;
mod history;
mod inbox;
mod invites;
mod keys;
mod leader;
mod ledger;
mod limits;
mod lock;
mod mcp;
mod messages;
mod nagios;
mod nodes;
mod output;
mod page;
mod queue;
mod rtt;
mod schedules;
mod sessions;
pub mod table;
mod tasks;
mod time;
mod top;
mod upkeep;
mod usage;
mod verify;
mod waits;
mod worker;

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use reef_settings::SettingsArgs;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::output::Output;

pub use crate::nagios::typed_wrongly;

pub use doctor::{Examine, Host, Repair};
pub use finding::{Finding, Level};

/// How long the end of a command waits for somebody to read why it failed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Shown below everything else by the `--help` of each of these commands.
const EXIT_CODES: &str = "\
Exit codes:
  0    done; a stream was read to its end
  1    the hub refused, something failed, or what was looked at is not well
  2    usage or configuration
  3    the hub cannot be reached
  4    a stream was cut and could not be resumed
  130  interrupted

Environment:
  REEF_API_KEY holds a key, where neither --key-file nor REEF_KEY_FILE is given. Without any, a hub
  on this machine is asked with the key in .reef/admin.key (or in REEF_STATE_DIR).
  A context (`reef context`) is stronger than the environment if --context names it, and weaker if
  REEF_CONTEXT does or it is in use; flags are stronger than both.
  NO_COLOR turns colours off; they are used on terminals only.
";

/// Makes [`Asking`]: a line each, from which follow the help, the hub that is asked, and the call.
macro_rules! asking {
    ($($(#[doc = $about:literal])+ $name:ident($command:ty, $examples:path),)+) => {
        /// The commands that ask a hub and do nothing else.
        #[derive(Debug, Subcommand)]
        pub enum Asking {$(
            $(#[doc = $about])+
            #[command(before_help = $examples, after_help = EXIT_CODES)]
            $name($command),
        )+}

        impl Asking {
            fn hub(&self) -> &HubArgs {
                match self {
                    $(Self::$name(command) => &command.hub,)+
                }
            }

            async fn run(self, cx: &Context) -> Result<(), Failure> {
                match self {
                    $(Self::$name(command) => command.run(cx).await,)+
                }
            }
        }
    };
}

asking! {
    /// Messages: write them, and read them while they are written
    Messages(messages::Messages, messages::EXAMPLES),
    /// Conversations: which there are, what was said, what is being said
    Sessions(sessions::Sessions, sessions::EXAMPLES),
    /// Mail between agents
    Inbox(inbox::Inbox, inbox::EXAMPLES),
    /// Work that agents ask each other to take on
    Collab(collab::Collab, collab::EXAMPLES),
    /// What has happened in the cluster, and what happens
    Events(events::Events, events::EXAMPLES),
    /// Tasks: submit them, look at them, wait for them
    Tasks(tasks::Tasks, tasks::EXAMPLES),
    /// Tasks that were submitted together
    Groups(groups::Groups, groups::EXAMPLES),
    /// What tasks wait for, and who decides it
    Waits(waits::Waits, waits::EXAMPLES),
    /// What people have to decide before tasks go on: the approvals of `reef waits`
    Approvals(waits::Approvals, waits::APPROVAL_EXAMPLES),
    /// Flows of tasks as a whole, also as a graph
    Flows(flows::Flows, flows::EXAMPLES),
    /// How many tasks run at once, or begin within a time
    Limits(limits::Limits, limits::EXAMPLES),
    /// Tasks that are submitted again and again, by the calendar or at an even pace
    Schedules(schedules::Schedules, schedules::EXAMPLES),
    /// What tasks have used and cost, day by day
    Usage(usage::Usage, usage::EXAMPLES),
    /// What has happened, minute by minute or hour by hour
    History(history::History, history::EXAMPLES),
    /// What tasks may use
    Budgets(usage::Budgets, usage::BUDGET_EXAMPLES),
    /// What models cost
    Prices(usage::Prices, usage::PRICE_EXAMPLES),
    /// Pause the queue, or tasks that require a skill
    Queue(queue::Queue, queue::EXAMPLES),
    /// Agents: register them, and see who there is
    Agents(agents::Agents, agents::EXAMPLES),
    /// What only who runs the hub does: further admin keys
    Admin(admin::Admin, admin::EXAMPLES),
    /// Keys of an agent: make, rotate and revoke them
    Keys(keys::Keys, keys::EXAMPLES),
    /// Money: move it, hold it, and check the journal that accounts for it
    Ledger(ledger::Ledger, ledger::EXAMPLES),
    /// Who has changed what, and whether the record of it is whole
    Audit(audit::Audit, audit::EXAMPLES),
    /// How much the hub holds
    Stats(upkeep::Stats, upkeep::STATS_EXAMPLES),
    /// Remove old tasks and messages, or count them with --dry-run
    Cleanup(upkeep::Cleanup, upkeep::CLEANUP_EXAMPLES),
    /// Nodes: list them, drain them, forget them
    Nodes(nodes::Nodes, nodes::EXAMPLES),
    /// Who leads the cluster, who did, and who shall
    Leader(leader::Leader, leader::EXAMPLES),
    /// How the cluster is, or a node; exit code 1 if not well
    Health(health::Health, health::EXAMPLES),
    /// How long the way to the hub is, to its Redis, and to its disk
    Rtt(rtt::Rtt, rtt::EXAMPLES),
    /// Keep what a hub knows of itself in a file: configuration without secrets, Redis, metrics, log
    Debug(debug::Debug, debug::EXAMPLES),
    /// The address of the hub's page, or a link that signs a browser in to it
    Page(page::Page, page::EXAMPLES),
    /// The cluster at a glance, live
    Top(top::Top, top::EXAMPLES),
    /// Check the cluster: leader, nodes, inboxes, leases, monitor, Redis; exit code 0 only if
    /// all is well
    Verify(verify::Verify, verify::EXAMPLES),
}

/// The commands that talk to a hub.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    #[command(flatten)]
    Asking(Asking),
    /// Find out what is wrong on this machine or with its hub, and what to do
    #[command(before_help = doctor::EXAMPLES, after_help = EXIT_CODES)]
    Doctor(doctor::Doctor),
    /// Keep this machine registered, send heartbeats, follow or be the leader
    #[command(before_help = reef_worker::agent::EXAMPLES, after_help = reef_worker::agent::DETAILS)]
    Agent(agent::Agent),
    /// Send heartbeats of this machine, or one of them
    #[command(before_help = agent::HEARTBEAT_EXAMPLES, after_help = EXIT_CODES)]
    Heartbeat(agent::Heartbeat),
    /// Do tasks: run a command, or a workflow, for each
    #[command(before_help = reef_worker::EXAMPLES, after_help = reef_worker::DETAILS)]
    Worker(worker::Worker),
    /// Be an agent's way to the hub: the Model Context Protocol on standard input and output
    #[command(before_help = mcp::EXAMPLES, after_help = EXIT_CODES)]
    Mcp(mcp::Mcp),
    /// Run a command only while holding a named lock
    #[command(before_help = lock::EXAMPLES, after_help = lock::DETAILS)]
    Lock(lock::Lock),
    /// Put a small load on a hub, and say how fast it answers; what is made for it is removed
    #[command(before_help = bench::EXAMPLES, after_help = EXIT_CODES)]
    Bench(bench::Bench),
    /// Hubs and their keys under names, for --context and REEF_CONTEXT
    #[command(before_help = contexts::EXAMPLES, after_help = EXIT_CODES)]
    Context(contexts::Contexts),
    /// See it work: a hub, five agents, a killed worker, a streamed message, a payment
    #[command(before_help = demo::EXAMPLES, after_help = demo::DETAILS)]
    Demo(demo::Demo),
    /// Starts a command of a worker or an agent, and ends it in time; started by them
    #[command(name = reef_worker::guard::SUBCOMMAND, hide = true)]
    WorkerGuard(worker::Guard),
}

impl ClientCommand {
    /// Where its configuration is, if it runs for long and writes a log.
    #[must_use]
    pub fn is_service(&self) -> Option<&SettingsArgs> {
        match self {
            Self::Worker(worker) => Some(&worker.settings),
            Self::Agent(agent) => Some(&agent.settings),
            Self::Heartbeat(heartbeat) if !heartbeat.once => Some(&heartbeat.settings),
            _ => None,
        }
    }

    /// Whether it speaks to Nagios.
    fn is_nagios(&self) -> bool {
        matches!(self, Self::Asking(Asking::Verify(verify)) if verify.nagios)
    }

    fn hub(&self) -> Option<&HubArgs> {
        Some(match self {
            Self::Asking(command) => command.hub(),
            Self::Doctor(doctor) => &doctor.hub,
            Self::Agent(agent) => &agent.hub,
            Self::Heartbeat(heartbeat) => &heartbeat.hub,
            Self::Worker(worker) => &worker.hub,
            Self::Mcp(mcp) => &mcp.hub,
            Self::Bench(bench) => &bench.hub,
            Self::Lock(lock) => &lock.hub,
            Self::Context(_) | Self::Demo(_) | Self::WorkerGuard(_) => return None,
        })
    }

    /// Runs it, whatever it needs.
    async fn run(self, host: Host) -> Result<(), Failure> {
        match self {
            Self::Asking(command) => {
                ask(&command.hub().clone(), async |cx| command.run(cx).await).await
            }
            Self::Doctor(it) => ask(&it.hub.clone(), async |cx| it.run(cx, host).await).await,
            Self::Agent(agent) => agent.run().await,
            Self::Heartbeat(it) if it.once => {
                ask(&it.hub.clone(), async |cx| it.run_once(cx).await).await
            }
            Self::Heartbeat(heartbeat) => heartbeat.run().await,
            Self::Worker(worker) => worker.run().await,
            Self::Mcp(mcp) => mcp.run().await,
            Self::Bench(bench) => bench.run().await,
            Self::Lock(lock) => lock.run().await,
            Self::Context(contexts) => contexts.run(),
            Self::Demo(demo) => demo.run().await,
            Self::WorkerGuard(guard) => Ok(reef_worker::guard::watch(guard.words).await?),
        }
    }
}

/// Runs a command that asks a hub, and ends with its answer or with Ctrl-C.
async fn ask(
    args: &HubArgs,
    command: impl AsyncFnOnce(&Context) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let hub = args.connect()?.on_behalf("cli", args.reason.as_deref())?;
    let cx = Context { hub, out: Output::new(args.json) };
    let result = tokio::select! {
        result = command(&cx) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    cx.out.finish().and(result)
}

/// What a command works with.
struct Context {
    hub: reef_client::Hub,
    out: Output,
}

/// Runs a command to its end and says what the process shall exit with. `host` does what only the
/// host can.
#[must_use]
pub fn run(command: ClientCommand, host: Host) -> ExitCode {
    let hub = command.hub().cloned();
    let is_nagios = command.is_nagios();
    match run_blocking(command, host) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if is_nagios => nagios::ended(&failure),
        Err(failure) => {
            let code = failure.exit_code();
            report(failure, hub);
            code
        }
    }
}

/// Says how it has failed, but does not wait for ever for who reads that.
fn report(failure: Failure, hub: Option<HubArgs>) {
    let (said, is_said) = std::sync::mpsc::channel();
    let saying = move || {
        failure.report(hub.as_ref());
        // Nobody waits any more when it took too long.
        let _ = said.send(());
    };
    if std::thread::Builder::new().spawn(saying).is_ok() {
        let _ = is_said.recv_timeout(LAST_WORDS);
    }
}

fn run_blocking(command: ClientCommand, host: Host) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    let result = runtime.block_on(command.run(host));
    // Whatever still reads standard input would read it for as long as somebody types.
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Parser)]
    #[command(disable_help_subcommand = true)]
    struct Cli {
        #[command(subcommand)]
        command: ClientCommand,
    }

    #[test]
    fn every_help_leads_with_an_example_and_lists_the_exit_codes() {
        let mut reef = <Cli as clap::CommandFactory>::command();
        reef.clone().debug_assert();
        reef.build();
        // Some commands are for programs only.
        let shown = reef.get_subcommands().filter(|command| !command.is_hide_set());
        let mut waiting: Vec<_> = shown.cloned().collect();
        let mut leaves = 0;
        while let Some(mut command) = waiting.pop() {
            let help = command.render_long_help().to_string();
            assert!(help.starts_with("Examples:\n  reef "), "{help}");
            // Neither reads a stream whose end could be missed.
            let is_service = matches!(command.get_name(), "worker" | "agent" | "lock");
            let streams = if is_service { None } else { Some("  4  ") };
            for code in ["  0  ", "  1  ", "  2  ", "  3  ", "  130  "].into_iter().chain(streams) {
                assert!(help.contains(code), "{}: {code}", command.get_name());
            }
            leaves += usize::from(!command.has_subcommands());
            waiting.extend(command.get_subcommands().cloned());
        }
        assert!(leaves >= 40, "{leaves}");
    }

    #[test]
    fn no_key_can_be_typed() {
        let mut reef = <Cli as clap::CommandFactory>::command();
        reef.build();
        let groups: Vec<_> = reef.get_subcommands().cloned().collect();
        for group in groups {
            for command in group.get_subcommands() {
                assert!(command.get_arguments().all(|it| it.get_long() != Some("key")));
            }
        }
    }
}
