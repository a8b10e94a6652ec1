//! What can be typed for an agent, beside which hub it belongs to.

use std::path::PathBuf;

use clap::Args;
use reef_api::NodeId;

/// What this machine registers as.
#[derive(Debug, Clone, Args)]
pub struct Machine {
    /// What this machine can do; repeatable
    #[arg(long = "skill", value_name = "SKILL", default_value = "agent")]
    pub skills: Vec<String>,

    /// By what others find it beside that; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,

    /// Most tasks that it takes at once, 1-100
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub slots: u32,

    /// The name under which it registers; else the machine's own
    #[arg(long, env = "REEF_AGENT_HOSTNAME", value_name = "NAME")]
    pub hostname: Option<String>,

    /// The node's id; else the one that was kept, or the one that the hub makes. Also the member
    /// node.id of config/config.json
    #[arg(long, value_name = "ID")]
    pub node_id: Option<NodeId>,

    /// Where the node's id is kept, so that a restart keeps it
    #[arg(long, env = "REEF_STATE_DIR", value_name = "DIR", default_value = ".reef")]
    pub state_dir: PathBuf,
}

/// Flags of an agent.
#[derive(Debug, Clone, Args)]
pub struct AgentArgs {
    /// What this machine registers as.
    #[command(flatten)]
    pub machine: Machine,

    /// Longest pause between two heartbeats, in seconds; else what the hub asks for
    /// (node.heartbeat_interval)
    #[arg(long, value_name = "SECONDS")]
    pub interval: Option<f64>,

    /// How long to wait for a hub that is not there yet, in seconds
    #[arg(long, env = "REEF_AGENT_START_TIMEOUT", value_name = "SECONDS", default_value_t = 60.0)]
    pub start_timeout: f64,

    /// Try to lead the cluster
    #[arg(long)]
    pub campaign: bool,

    /// How long the leadership is ours without a word from here, in seconds: after that another
    /// node may lead (node.leader_ttl, else 30)
    #[arg(long, value_name = "SECONDS", requires = "campaign")]
    pub leader_ttl: Option<f64>,

    /// What a shell runs while this node leads
    #[arg(long, value_name = "COMMAND", requires = "campaign")]
    pub on_elected: Option<String>,

    /// What a shell runs when this node leads no longer, after the other one has ended
    #[arg(long, value_name = "COMMAND", requires = "campaign")]
    pub on_lost: Option<String>,
}

/// Shown by `--help` above everything else.
pub const EXAMPLES: &str = "Examples:
  reef agent --skill python --skill gpu
  reef agent --campaign --on-elected './scheduler --all' --on-lost './hand-over'
";

/// Shown by `--help` below everything else.
pub const DETAILS: &str = "\
The commands:
  They run by `sh -c`, with REEF_HUB, REEF_NODE_ID and REEF_TERM (the fencing token: it grows with
  every change of the leader) in their environment, and without REEF_API_KEY. The command of
  --on-elected may run for as long as this node leads. Its process group gets SIGTERM when three
  quarters of the lease have passed without a renewal, and at seven eighths SIGKILL ends all that
  the command has started, on Linux also what has left its group or session; both are counted
  from the moment the last renewal was asked for; when the hub says that somebody else leads it is
  killed at once. If it ends by itself with 0, this node goes on leading; with any other code it
  resigns, and campaigns again after one lease. While this node is in maintenance it does not lead.

Exit codes:
  0    stopped by SIGTERM or SIGINT; the hub knows that this node is gone
  1    the hub refused, or somebody else took this node's id
  2    usage or configuration
  3    the hub cannot be reached
  130  told twice to stop, or before it was registered

Environment:
  REEF_API_KEY holds a key, where neither --key-file nor REEF_KEY_FILE is given. Without any, a hub
  on this machine is asked with the key in .reef/admin.key (or in REEF_STATE_DIR).
  REEF_NODE_ID, REEF_HEARTBEAT_INTERVAL, REEF_LEADER_TTL, or the member node of
  config/config.json, stand for the flags; `reef config show --origin` lists them.
  REEF_LOG filters the log (default info).
";
