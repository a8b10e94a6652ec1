//! `reef demo`: a hub and five agents, what happens when one dies, and where to see it.
//!
//! - `play`: what is shown, step by step.
//! - `fleet`: the hub and the workers, each a process of its own, and how they end.
//! - `stage`: the words on the terminal, and the pauses between the steps.

mod fleet;
mod play;
mod stage;

use std::path::PathBuf;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Shown above the command's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef demo                                  step by step, with a key press between the steps
  reef demo --fast                           without a pause, to the end
";

/// Shown below everything else by the command's `--help`.
pub(crate) const DETAILS: &str = "\
The demo has a folder of its own for all that it makes, and removes it. Hubs, keys and data that
are there already are not touched. It needs a redis-server or valkey-server on PATH.

Exit codes:
  0    shown to the end, or stopped with Ctrl-C after the last step
  1    something went wrong; the ends of the logs are shown
  2    usage
  3    the demo's hub does not start, or cannot be reached
  4    a stream was cut and could not be resumed
  130  interrupted before the last step
";

/// `reef demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Show everything at once: no pauses, and an end after the last step
    #[arg(long)]
    fast: bool,

    /// Address of the demo's hub; port 0 takes any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    listen: String,

    /// The Spin manifest that the demo's hub serves; without it the folder's spin.toml, and where
    /// there is none, the components that this program carries
    #[arg(long, env = "REEF_SPIN_FILE", value_name = "FILE")]
    spin_file: Option<PathBuf>,

    /// The state directory of a hub that has run here. Compiled code is taken from it, if it is
    /// there, which saves a demo of the folder's own components half a minute; nothing else is
    #[arg(long, env = "REEF_STATE_DIR", value_name = "DIR", default_value = ".reef")]
    state_dir: PathBuf,
}

impl Demo {
    /// Shows it, and leaves nothing behind, however it ends.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut fleet = fleet::Fleet::new(&self)?;
        let stage = stage::Stage::new(self.fast);
        let result = tokio::select! {
            result = play::play(&mut fleet, &stage) => result,
            asked = asked_to_stop() => asked.and(Err(Failure::Interrupted)),
        };
        if matches!(&result, Err(Failure::Failed(_) | Failure::Hub(_))) {
            fleet.show_logs();
        }
        fleet.stop().await;
        match result {
            // After the last step that is how it ends.
            Err(Failure::Interrupted) if stage.is_over() => Ok(()),
            other => other,
        }
    }
}

/// Waits for Ctrl-C, or for the terminal to be closed, or for SIGTERM.
async fn asked_to_stop() -> Result<(), Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::Failed(format!("cannot listen to signals: {error}")))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
