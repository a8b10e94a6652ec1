//! A named lock: runs a command only while the lock is certainly held here, by this machine's own clock.
//! The command is ended before the lease can run out, when the hub says that the lock is somebody else's,
//! and, by its guards, when this process is killed or paused.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use clap::Args;
use reef_api::lock::{LockAcquireBody, LockAcquired, LockReleaseBody, LockRenewBody};
use reef_api::{Code, LockId};
use reef_client::{Error, Hub};
use tokio::time::{sleep, timeout};

use crate::WorkerError;
use crate::api::{self, in_millis, millis};
use crate::command::GRACE;
use crate::guard::{End, Guarded, Launch};
use crate::lease::Lease;
use crate::machine::Facts;
use crate::moment::{Moment, sleep_until};
use crate::worker::Signals;

/// The shortest pause between two tries, whatever a hub says, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long it may take to hand the lock back.
const RELEASE_LIMIT: Duration = Duration::from_secs(3);
/// What a shell adds to the number of the signal that has ended a command.
const SIGNALLED: i32 = 128;
/// What a shell says of a command that it cannot start.
const NOT_STARTED: i32 = 127;
/// How much of the machine's name is a part of the holder's.
const HOST_CHARS_MAX: usize = 40;

/// What is run under which lock.
#[derive(Debug, Args)]
pub struct LockedArgs {
    /// The lock's name
    pub name: LockId,

    /// How long the lock is held without a word from here, in seconds, 0.5 to 600: after that somebody
    /// else may have it, and the command is ended before
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    pub ttl: f64,

    /// How long to wait for the lock, in seconds; 0: not at all. Without it, as long as it takes
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<f64>,

    /// The command, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// What a lock's lease may be, in seconds.
const TTL_SECONDS: std::ops::RangeInclusive<f64> = 0.5..=600.0;

/// A lock that is held here.
struct Held {
    term: i64,
    lease: Lease,
    /// From then on nothing of a holder before runs that may not know yet that it holds it no longer.
    alone_from: Moment,
}

/// Why it ends.
enum Loss {
    /// The command has ended by itself.
    Ended(End),
    /// This process was told to end.
    Leaving,
    /// Nothing renewed the lease.
    LeaseEnding,
    /// The hub says that the lock is not held here any more.
    Taken,
}

/// Who wants the lock.
struct Claimant<'a> {
    hub: &'a Hub,
    name: &'a LockId,
    holder: String,
    ttl: Duration,
    /// Says something to people.
    say: &'a dyn Fn(&str),
}

/// Waits for the lock, runs the command under it, and hands it back. Returns the code with which the
/// command has ended. `say` tells people what happens meanwhile.
///
/// # Errors
/// [`WorkerError::Failed`] where the lock was not to be had, or was lost; the others as they say.
pub async fn run(args: LockedArgs, hub: &Hub, say: &dyn Fn(&str)) -> Result<i32, WorkerError> {
    let mut signals = Signals::listen().map_err(failed)?;
    if !TTL_SECONDS.contains(&args.ttl) {
        let words = format!("--ttl must be {} to {}", TTL_SECONDS.start(), TTL_SECONDS.end());
        return Err(WorkerError::Usage(words));
    }
    let ttl = Duration::try_from_secs_f64(args.ttl).map_err(|it| usage("--ttl", &it))?;
    let wait = args.wait.map(Duration::try_from_secs_f64).transpose();
    let wait = wait.map_err(|error| usage("--wait", &error))?;
    let claimant = Claimant { hub, name: &args.name, holder: holder(), ttl, say };
    let held = tokio::select! {
        held = claimant.acquire(wait) => held?,
        // What was asked for may be granted yet, to nobody; it runs out by itself.
        _ = signals.next() => return Err(WorkerError::Interrupted),
    };
    let mut running = None;
    let loss = claimant.hold(&held, &args.command, &mut running, &mut signals).await?;
    if let Some(running) = running.as_mut() {
        match loss {
            Loss::Taken => end(running, Moment::now()).await,
            Loss::LeaseEnding => stop(running, held.lease.kill_at()).await,
            Loss::Leaving => {
                stop(running, held.lease.kill_at().min(Moment::now() + GRACE)).await;
            }
            Loss::Ended(_) => {}
        }
    }
    if matches!(loss, Loss::Ended(_) | Loss::Leaving) {
        claimant.release(held.term).await;
    }
    let name = &args.name;
    match loss {
        Loss::Ended(End::Exited(status)) => Ok(code(status)),
        Loss::Ended(End::NotStarted(why)) => {
            say(&format!("the command cannot be started: {why}"));
            Ok(NOT_STARTED)
        }
        Loss::Ended(End::Unguarded) => {
            Err(WorkerError::Failed("the command's guard was killed, and it with it".to_owned()))
        }
        Loss::Leaving => Err(WorkerError::Interrupted),
        Loss::LeaseEnding => Err(WorkerError::Failed(format!(
            "the lock {name} could not be renewed: the command was ended before it ran out"
        ))),
        Loss::Taken => {
            Err(WorkerError::Failed(format!("the lock {name} was lost: the command was ended")))
        }
    }
}

impl Claimant<'_> {
    /// Waits until the lock is held here.
    async fn acquire(&self, wait: Option<Duration>) -> Result<Held, WorkerError> {
        let deadline = wait.map(|wait| Moment::now() + wait);
        let mut is_told = false;
        loop {
            let asked = Moment::now();
            let left = deadline.map_or(PAUSE_MAX, Moment::left);
            let (why, pause) = match self.ask().await {
                Ok(LockAcquired { is_held: true, lock, former_ttl_ms }) => {
                    let lease = Lease::new(self.ttl, asked);
                    let alone_from = Moment::now() + millis(former_ttl_ms);
                    return Ok(Held { term: lock.term, lease, alone_from });
                }
                Ok(LockAcquired { lock, .. }) => {
                    let why = format!("{} of {} holds {}", lock.holder, lock.owner, self.name);
                    // As soon as the lease has run out, and now and then before: it may be released.
                    (why, millis(lock.ttl_ms).min(self.ttl / 10))
                }
                Err(error) if error.is_transient() && !left.is_zero() => {
                    (error.to_string(), Duration::from_secs(1))
                }
                Err(error) => return Err(error.into()),
            };
            if left.is_zero() {
                return Err(WorkerError::Failed(format!("the lock is not to be had: {why}")));
            }
            if !std::mem::replace(&mut is_told, true) {
                (self.say)(&format!("{why}; waiting"));
            }
            sleep(pause.clamp(PAUSE_MIN, PAUSE_MAX).min(left)).await;
        }
    }

    async fn ask(&self) -> Result<LockAcquired, Error> {
        let body = LockAcquireBody {
            holder: Some(self.holder.clone()),
            ttl_ms: Some(in_millis(self.ttl)),
        };
        self.hub.acquire_lock(self.name, &body).timeout(self.ttl / 3).fetch().await
    }

    async fn renew(&self, term: i64) -> Result<(), Error> {
        let body = LockRenewBody {
            holder: Some(self.holder.clone()),
            term: Some(term),
            ttl_ms: Some(in_millis(self.ttl)),
        };
        self.hub.renew_lock(self.name, &body).timeout(self.ttl / 3).send().await.map(|_| ())
    }

    async fn release(&self, term: i64) {
        let body = LockReleaseBody { holder: Some(self.holder.clone()), term: Some(term) };
        let released = self.hub.release_lock(self.name, &body).once().send();
        // If not, it runs out by itself.
        if !matches!(timeout(RELEASE_LIMIT, released).await, Ok(Ok(_))) {
            (self.say)(&format!("{} could not be handed back, and runs out by itself", self.name));
        }
    }

    /// Starts the command once nothing of a holder before can run, and renews the lock until there is no
    /// reason to.
    async fn hold(
        &self,
        held: &Held,
        command: &[OsString],
        running: &mut Option<Guarded>,
        signals: &mut Signals,
    ) -> Result<Loss, WorkerError> {
        let mut next = Moment::now() + self.ttl / 3;
        let mut is_started = false;
        loop {
            let renewal = async {
                sleep_until(next).await;
                let asked = Moment::now();
                (asked, self.renew(held.term).await)
            };
            let ended = async {
                match running.as_mut() {
                    Some(running) => running.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = sleep_until(held.lease.stop_at()) => return Ok(Loss::LeaseEnding),
                _ = signals.next() => return Ok(Loss::Leaving),
                () = sleep_until(held.alone_from), if !is_started => {
                    is_started = true;
                    let launch = self.launch(command, held.term);
                    *running = Some(launch.start(held.lease.kill_at()).map_err(failed)?);
                }
                end = ended => {
                    *running = None;
                    return Ok(Loss::Ended(end));
                }
                (asked, answer) = renewal => match answer {
                    Ok(()) => {
                        held.lease.renew(asked);
                        if let Some(running) = running.as_mut() {
                            running.allow(held.lease.kill_at());
                        }
                        next = asked + self.ttl / 3;
                    }
                    Err(error) if is_final(&error) => return Ok(Loss::Taken),
                    Err(_) => next = Moment::now() + (self.ttl / 20).max(PAUSE_MIN),
                },
            }
        }
    }

    fn launch(&self, command: &[OsString], term: i64) -> Launch {
        Launch {
            words: command.to_vec(),
            envs: vec![
                ("REEF_LOCK", self.name.as_str().into()),
                ("REEF_LOCK_TERM", term.to_string().into()),
                ("REEF_LOCK_HOLDER", self.holder.clone().into()),
            ],
            ..Launch::default()
        }
    }
}

/// Asks a command to end, and ends it when `kill_at` has come.
async fn stop(running: &mut Guarded, kill_at: Moment) {
    running.stop();
    end(running, kill_at).await;
}

/// Ends a command that does not end by itself until then.
async fn end(running: &mut Guarded, kill_at: Moment) {
    tokio::select! {
        biased;
        _ = running.ended() => {}
        () = sleep_until(kill_at) => {
            running.kill();
            running.ended().await;
        }
    }
}

/// Whether the hub says that the lock is not held here any more.
fn is_final(error: &Error) -> bool {
    [Code::Fenced, Code::NotFound, Code::Forbidden].into_iter().any(|code| api::is(error, code))
}

/// The code that a shell would see.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| SIGNALLED + status.signal().unwrap_or_default())
}

/// A name that no other process has; people see on which machine it runs.
fn holder() -> String {
    let host = Facts::gather(None).map(|facts| facts.hostname).unwrap_or_default();
    let is_good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let host: String = host.chars().filter(is_good).take(HOST_CHARS_MAX).collect();
    let own = uuid::Uuid::now_v7().simple().to_string();
    if host.is_empty() { own } else { format!("{host}-{own}") }
}

fn failed(error: std::io::Error) -> WorkerError {
    WorkerError::Failed(error.to_string())
}

fn usage(flag: &str, error: &dyn std::fmt::Display) -> WorkerError {
    WorkerError::Usage(format!("{flag}: {error}"))
}
