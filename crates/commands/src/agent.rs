//! `reef agent` and `reef heartbeat`: this machine as a node. All that they do is in
//! [`reef_worker::agent`]; here the configuration is added.

use std::time::Duration;

use clap::Args;
use reef_api::heartbeat::HeartbeatAnswer;
use reef_settings::{Invalid, Settings, SettingsArgs};
use reef_worker::agent::{self, AgentArgs, Machine, Once};

use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::shown;

/// Shown above the `--help` of `reef heartbeat`.
pub(crate) const HEARTBEAT_EXAMPLES: &str = "\
Examples:
  reef heartbeat --once          for cron: * * * * * reef heartbeat --once
  reef heartbeat --skill gpu     until it is stopped, as `reef agent` does
";

/// `reef agent`.
#[derive(Debug, Args)]
#[command(mut_arg("json", |json| json.hide(true)))]
pub struct Agent {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    args: AgentArgs,
}

/// `reef heartbeat`.
#[derive(Debug, Args)]
pub struct Heartbeat {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    machine: Machine,

    /// Send one and end; registers this machine where the hub does not know it
    #[arg(long)]
    pub(crate) once: bool,

    /// Longest pause between two heartbeats, in seconds; else what the hub asks for
    /// (node.heartbeat_interval)
    #[arg(long, value_name = "SECONDS", conflicts_with = "once")]
    interval: Option<f64>,

    /// How often one that is not answered is tried again (node.retry_count, else 3)
    #[arg(long, value_name = "N", requires = "once")]
    retries: Option<usize>,

    /// The pause before each of these tries, in seconds (node.retry_delay, else 1)
    #[arg(long, value_name = "SECONDS", requires = "once", value_parser = crate::messages::seconds)]
    retry_delay: Option<Duration>,
}

impl Agent {
    /// Runs until it is told to stop. It looks after signals by itself.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let settings = load(&self.settings)?;
        run(self.args, &self.hub, &settings).await
    }
}

impl Heartbeat {
    /// Runs until it is told to stop. It looks after signals by itself.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let args = AgentArgs {
            machine: self.machine,
            interval: self.interval,
            start_timeout: 60.0,
            campaign: false,
            leader_ttl: None,
            on_elected: None,
            on_lost: None,
        };
        run(args, &self.hub, &load(&self.settings)?).await
    }

    /// Sends one.
    pub(crate) async fn run_once(self, cx: &Context) -> Result<(), Failure> {
        let settings = load(&self.settings)?;
        let mut machine = self.machine;
        complete(&mut machine, &settings);
        let delay = settings.parsed("node.retry_delay", "a number of seconds").map_err(usage)?;
        let delay = Duration::try_from_secs_f64(delay.unwrap_or(1.0));
        let delay = delay.map_err(|error| Failure::Usage(format!("node.retry_delay: {error}")))?;
        let count = settings.parsed("node.retry_count", "a number").map_err(usage)?;
        let once = Once {
            retries: self.retries.or(count).unwrap_or(3),
            pause: self.retry_delay.unwrap_or(delay),
        };
        let answer = agent::beat_once(&machine, &cx.hub, once).await?;
        cx.out.answer(&answer, |beaten| sentence(&beaten))
    }
}

/// What a heartbeat has brought.
fn sentence(beaten: &HeartbeatAnswer<'_>) -> String {
    let leader = match &beaten.leader {
        None => "nobody leads".to_owned(),
        Some(leader) => format!("{} leads in term {}", shown(leader), beaten.term),
    };
    format!("{} is alive; {leader}; {} mail", shown(&beaten.node_id), beaten.inbox)
}

async fn run(mut args: AgentArgs, hub: &HubArgs, settings: &Settings) -> Result<(), Failure> {
    complete(&mut args.machine, settings);
    let seconds = |name| settings.parsed::<f64>(name, "a number of seconds").map_err(usage);
    args.interval = args.interval.or(seconds("node.heartbeat_interval")?);
    args.leader_ttl = args.leader_ttl.or(seconds("node.leader_ttl")?);
    Ok(agent::run(args, hub.connect()?).await?)
}

fn complete(machine: &mut Machine, settings: &Settings) {
    let configured = settings.given("node.id").map(|value| value.text.as_str().into());
    machine.node_id = machine.node_id.take().or(configured);
}

fn load(args: &SettingsArgs) -> Result<Settings, Failure> {
    Settings::load(args).map_err(usage)
}

fn usage(error: Invalid) -> Failure {
    Failure::Usage(error.to_string())
}
