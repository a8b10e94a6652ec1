//! `reef mcp`: a hub for an agent that speaks the Model Context Protocol, on standard input and output.
//! What is said is in [`reef_bridge`]; here are its lines, and what a client is set up with.

mod hook;
mod install;
mod over_http;
mod pipe;

use clap::{Args, Subcommand};
use reef_bridge::tools::Selection;
use reef_client::Hub;

use self::hook::HookArgs;
use self::install::InstallArgs;
use crate::EXIT_CODES;
use crate::connection::{HubArgs, KeySource};
use crate::failure::Failure;

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef mcp --hub http://10.0.0.5:8888 --key-file alice.key
  reef mcp --key-file alice.key --toolsets core,money
  reef mcp install claude --print --key-file alice.key
";

/// `reef mcp`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, mut_arg("json", |json| json.hide(true)))]
pub struct Mcp {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// Which tools are offered, with commas between: core, flow, stream, lead, money, operate, all
    #[arg(long, value_name = "NAMES", default_value = "core", global = true)]
    toolsets: String,

    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what an agent's program is set up with, so that it finds the hub
    #[command(before_help = install::EXAMPLES, after_help = EXIT_CODES)]
    Install(InstallArgs),
    /// One line when mail waits, as hooks of agents' programs want it; nothing else
    #[command(before_help = hook::EXAMPLES, after_help = EXIT_CODES)]
    Hook(HookArgs),
}

impl Mcp {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let selection = Selection::parse(&self.toolsets).map_err(Failure::Usage)?;
        match &self.verb {
            None => pipe::serve(connect(&self.hub)?, selection).await,
            Some(Verb::Install(args)) => args.run(&self.hub, &self.toolsets),
            Some(Verb::Hook(args)) => args.run(&self.hub).await,
        }
    }
}

/// The hub, called with the key of an agent. The admin key that may lie here was made for nobody in
/// particular, and a model shall not have it because of the folder that it was started in.
fn connect(args: &HubArgs) -> Result<Hub, Failure> {
    let hub = args.connect()?;
    match args.key_source() {
        KeySource::StateDir(_) => Ok(hub.with_key(None)?),
        _ => Ok(hub),
    }
}
