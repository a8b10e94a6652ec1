//! `reef lock`: runs a command only while it holds a named lock. All that it does is in
//! [`reef_worker::locked`].

use clap::Args;
use reef_worker::locked::{self, LockedArgs};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::output::aside;

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef lock nightly-report -- ./report.sh --all
  reef lock nightly-report --wait 0 -- ./report.sh   if nobody else has it
";

/// Shown below its `--help`.
pub(crate) const DETAILS: &str = "\
The command:
  It is started once the lock is held, with REEF_LOCK (its name), REEF_LOCK_HOLDER and REEF_LOCK_TERM
  in its environment. The term is a fencing token: it grows with every change of holder, so that
  whatever the command writes to can refuse what comes under a smaller one. It reads nothing from
  standard input. It may run for as long as the lock is held: its process group gets SIGTERM when
  three quarters of --ttl have passed without a renewal, and at seven eighths SIGKILL ends all that it
  has started, also where `reef lock` itself is killed or paused; when the hub says that somebody else
  holds the lock it is killed at once.

Exit codes:
  0    the command has ended with 0; else its own code, 128 and more where a signal has ended it
  1    the lock was not to be had in time, or was lost, or the hub refused
  2    usage or configuration
  3    the hub cannot be reached
  127  the command cannot be started
  130  interrupted

Environment:
  REEF_API_KEY holds a key, where neither --key-file nor REEF_KEY_FILE is given. Without any, a hub
  on this machine is asked with the key in .reef/admin.key (or in REEF_STATE_DIR).
";

/// `reef lock`.
#[derive(Debug, Args)]
#[command(mut_arg("json", |json| json.hide(true)))]
pub struct Lock {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(flatten)]
    args: LockedArgs,
}

impl Lock {
    /// It looks after signals by itself.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let hub = self.hub.connect()?;
        match locked::run(self.args, &hub, &aside).await? {
            0 => Ok(()),
            code => Err(Failure::Said(u8::try_from(code).unwrap_or(u8::MAX))),
        }
    }
}
