//! `reef doctor`: what could be wrong on this machine and with its hub, why that matters, and what
//! to do about it. What only the host can look at, it looks at: see [`Examine`].

use std::io::IsTerminal as _;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use clap::Args;
use reef_client::Error;
use reef_settings::{Settings, SettingsArgs};

use crate::connection::{HubArgs, KeySource};
use crate::failure::Failure;
use crate::finding::{Finding, conclude};
use crate::verify;
use crate::{Context, time};

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef doctor            looks at this machine, its Redis and the hub
  reef doctor --json
  reef doctor --repair   damaged data of the private Redis: shows what is lost, then asks
";

/// Mends the data of the private Redis in a state directory. It is told what that means by the
/// question that it asks, and says what was done, or why nothing was.
pub type Repair = fn(&Path, &mut dyn FnMut(&str) -> bool) -> Result<String, String>;

/// What only the host can do.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Looks at what a hub needs.
    pub examine: Examine,
    /// Mends data.
    pub repair: Repair,
}

/// What only the host can look at: the Redis, the manifest and its components, the port.
pub type Examine = fn(&Settings) -> Pin<Box<dyn Future<Output = Vec<Finding>> + '_>>;

/// What to do about files that cannot be used.
const UNREADABLE: &str = "correct it, then ask again: what a hub needs depends on it";
/// Below this a disk is as good as full for a Redis that rewrites its file.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// By how much this machine's clock may differ from the hub's.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);

/// `reef doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,

    /// Let warnings count as failures
    #[arg(long)]
    strict: bool,

    /// Mend damaged data of the private Redis in the state directory (REEF_STATE_DIR, else .reef),
    /// after it was said what is lost by that. A copy is kept. The hub must be stopped
    #[arg(long)]
    repair: bool,

    /// Do not ask before the repair
    #[arg(long, requires = "repair")]
    yes: bool,
}

impl Doctor {
    pub(crate) async fn run(self, cx: &Context, host: Host) -> Result<(), Failure> {
        let loaded = Settings::load(&self.settings);
        // Where nobody knows what is set, what can be told is told about the defaults.
        let settings = loaded.clone().unwrap_or_default();
        let state_dir = settings.value("state_dir").map(|value| value.text).unwrap_or_default();
        if self.repair {
            loaded.map_err(|error| Failure::Usage(error.to_string()))?;
            let mut agree = |question: &str| self.agrees(cx, question);
            let done = (host.repair)(Path::new(&state_dir), &mut agree).map_err(Failure::Failed)?;
            return Ok(cx.out.line(&done)?);
        }
        let mut findings = match loaded {
            Ok(settings) => (host.examine)(&settings).await,
            Err(error) => vec![Finding::fail("configuration", error.to_string(), UNREADABLE)],
        };
        findings.extend(disk(Path::new(&state_dir)));
        findings.push(key(&self.hub));
        findings.extend(hub(cx).await);
        findings.extend(verify::hosts(&cx.hub).await);
        conclude(cx, &findings, self.strict)
    }

    fn agrees(&self, cx: &Context, question: &str) -> bool {
        cx.out.note(question);
        if self.yes {
            return true;
        }
        if !std::io::stdin().is_terminal() {
            cx.out.note("Nobody can be asked here; with --yes it is done without.");
            return false;
        }
        cx.out.note("Type yes to go on:");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    }
}

/// Whether the disk that holds the hub's state has room.
fn disk(state_dir: &Path) -> Option<Finding> {
    let folder = if state_dir.is_dir() { state_dir } else { Path::new(".") };
    let free = reef_worker::free_space(folder)?;
    let words = format!("{:.1} GiB free where {} is", gib(free), state_dir.display());
    Some(if free < FREE_BYTES_MIN {
        Finding::warn("disk", words, "make room, or move the hub with --state-dir")
    } else {
        Finding::ok("disk", words)
    })
}

fn gib(bytes: u64) -> f64 {
    // Two places are shown.
    u32::try_from(bytes >> 20).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// Whether there is a key. Whether it is good, the hub says.
fn key(args: &HubArgs) -> Finding {
    match args.key_source() {
        KeySource::File(file) => Finding::ok("key", format!("taken from {}", file.display())),
        KeySource::Environment => Finding::ok("key", "taken from REEF_API_KEY"),
        KeySource::Context(name, file) => {
            Finding::ok("key", format!("taken from {}, for the context {name}", file.display()))
        }
        KeySource::StateDir(file) => Finding::ok("key", format!("found in {}", file.display())),
        KeySource::Nowhere => Finding::warn(
            "key",
            "there is none, which only a hub with auth_mode=open accepts",
            "give one with --key-file, REEF_KEY_FILE or REEF_API_KEY; `reef up` makes one in .reef",
        ),
    }
}

/// Whether the hub answers, takes the key, and has the same time.
async fn hub(cx: &Context) -> Vec<Finding> {
    let asked = chrono::Utc::now();
    let health = cx.hub.cluster_health().fetch().await;
    let answered = chrono::Utc::now();
    let address = cx.hub.address();
    let health = match health {
        Ok(health) => health,
        Err(error @ Error::Unreachable { .. }) => {
            let cure = "start one with `reef up`, or name it with --hub URL or REEF_HUB";
            return vec![Finding::fail("hub", error.to_string(), cure)];
        }
        Err(error) => {
            let cure = match error.problem().map(|problem| problem.status) {
                Some(401) => "this key is not, or no longer, one of this hub: give another",
                Some(403) => "use a key that may read",
                Some(503) => "the hub cannot use its Redis: see the line redis, or the hub's log",
                _ => "see the hub's log; and is this address a hub's?",
            };
            return vec![Finding::fail("hub", format!("{address} says: {error}"), cure)];
        }
    };
    let nodes = health.total_nodes;
    let mut findings =
        vec![Finding::ok("hub", format!("{address} answers, and knows {nodes} nodes"))];
    if let Some(theirs) = time::utc(health.checked_at) {
        // Theirs was read between the two.
        let before = (asked - theirs).to_std().unwrap_or_default();
        let behind = (theirs - answered).to_std().unwrap_or_default();
        findings.push(clock(before.max(behind)));
    }
    findings
}

fn clock(skew: Duration) -> Finding {
    let words = format!("this machine's differs from the hub's by {:.1} s", skew.as_secs_f64());
    if skew > CLOCK_SKEW_MAX {
        let cure = "run an NTP client; the hub decides by Redis' clock alone, but logs mislead";
        Finding::warn("clock", words, cure)
    } else {
        Finding::ok("clock", words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

    #[test]
    fn the_clock_may_differ_a_little() {
        assert_eq!(clock(Duration::from_secs(1)).status, Level::Ok);
        assert_eq!(clock(Duration::from_secs(60)).status, Level::Warn);
    }

    #[test]
    fn room_is_counted_where_the_state_is_or_will_be() {
        let here = disk(Path::new("/no/such/folder")).unwrap();
        assert!(here.message.contains("/no/such/folder"), "{here:?}");
        assert!((gib(3 << 29) - 1.5).abs() < 0.001);
    }
}
