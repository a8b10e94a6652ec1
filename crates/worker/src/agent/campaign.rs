//! Leadership: campaigns until it is won, renews it, and makes sure that the command which runs
//! because of it is over before the lease is.

use std::sync::Arc;
use std::time::Duration;

use reef_api::Code;
use reef_api::leader::CampaignAnswer;
use reef_client::Error;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::hook::{Hooks, Running, Surroundings};
use super::{put_off, until};
use crate::api::{self, Node, millis};
use crate::attempt::Shared;
use crate::beats::{self, PAUSE_MAX, Seen};
use crate::command::GRACE;
use crate::guard::End;
use crate::lease::Lease;
use crate::moment::{Moment, sleep_until};

/// The shortest pause between two campaigns, whatever a hub says.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// How often within a term the command is started again under new guards, after somebody has
/// killed the ones before. What kills them that often is no accident, and another node may do
/// better.
const RESTARTS: u32 = 3;
/// How long a good-bye to the leadership may take.
const RESIGN_LIMIT: Duration = Duration::from_secs(3);

/// What campaigns.
pub(super) struct Campaign {
    shared: Arc<Shared>,
    node: watch::Receiver<Node>,
    ttl: Duration,
    hooks: Hooks,
}

/// A leadership. It is this registration's of the node, and no later one's.
struct Won {
    node: Node,
    term: i64,
    lease: Lease,
    /// From then on no command of a leader before runs that may not know yet that it leads no longer.
    alone_from: Moment,
}

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The agent ends, or the node is in maintenance.
    Leaving,
    /// The command has failed.
    CommandFailed,
    /// Nothing renewed the lease.
    LeaseEnding,
    /// The hub says that somebody else leads or has led, or that this node must not any more.
    Taken,
}

impl Campaign {
    pub(super) fn new(
        shared: Arc<Shared>,
        node: watch::Receiver<Node>,
        ttl: Duration,
        hooks: Hooks,
    ) -> Self {
        Self { shared, node, ttl, hooks }
    }

    /// Campaigns until the agent ends, and then hands back what it holds.
    pub(super) async fn run(self, stopped: watch::Receiver<bool>) {
        loop {
            let won = tokio::select! {
                biased;
                () = until(stopped.clone()) => return,
                won = self.win() => won,
            };
            tracing::info!(term = won.term, "this node leads");
            let loss = self.lead(&won, &stopped).await;
            tracing::info!(term = won.term, why = ?loss, "this node leads no longer");
            if loss == Loss::CommandFailed {
                // Long enough for somebody with a better command.
                tokio::select! {
                    () = until(stopped.clone()) => return,
                    () = sleep(self.ttl) => {}
                }
            }
        }
    }

    /// Campaigns until this node leads.
    async fn win(&self) -> Won {
        let mut pauses = beats::pauses();
        loop {
            self.until_not_draining().await;
            let asked = Moment::now();
            let node = self.node.borrow().clone();
            let pause = match self.ask(&node).await {
                Ok(answer) if answer.is_leader => {
                    let lease = Lease::new(self.ttl, asked);
                    let former = millis(answer.former_ttl_ms);
                    let alone_from = Moment::now() + former;
                    return Won { node, term: answer.term, lease, alone_from };
                }
                Ok(answer) => {
                    pauses = beats::pauses();
                    // As soon as the other's lease has run out, and now and then before that:
                    // it may resign.
                    let left = millis(answer.ttl_ms);
                    left.min(self.ttl / 3).max(PAUSE_MIN)
                }
                Err(error) => {
                    put_off(&error, "no campaign");
                    pauses.next().unwrap_or(PAUSE_MAX)
                }
            };
            sleep(pause).await;
        }
    }

    async fn ask(&self, node: &Node) -> Result<CampaignAnswer, Error> {
        api::campaign(&self.shared.hub, node, self.ttl, self.ttl / 3).await
    }

    async fn until_not_draining(&self) {
        let mut seen = self.shared.pulse.seen.subscribe();
        let _ = seen.wait_for(|seen| !seen.drain).await;
    }

    /// Leads until that ends, in whatever way. When this returns nothing runs any more that may
    /// run only while this node leads.
    async fn lead(&self, won: &Won, stopped: &watch::Receiver<bool>) -> Loss {
        let hub = self.shared.hub.address();
        let within = Surroundings { hub, node_id: won.node.id.as_str(), term: won.term };
        let mut running = None;
        let loss = self.hold(won, &within, &mut running, stopped).await;
        if let Some(running) = running {
            match loss {
                Loss::Taken => running.kill().await,
                Loss::LeaseEnding => running.stop(won.lease.kill_at()).await,
                Loss::Leaving | Loss::CommandFailed => {
                    running.stop(won.lease.kill_at().min(Moment::now() + GRACE)).await;
                }
            }
        }
        let is_ours = matches!(loss, Loss::Leaving | Loss::CommandFailed);
        // What it does should be over before somebody else is elected.
        self.hooks.run_lost(&within, is_ours.then(|| won.lease.kill_at())).await;
        if is_ours {
            self.resign(won).await;
        }
        loss
    }

    /// Starts the command once no other can run, and renews the lease for as long as there is a
    /// reason to.
    async fn hold(
        &self,
        won: &Won,
        within: &Surroundings<'_>,
        running: &mut Option<Running>,
        stopped: &watch::Receiver<bool>,
    ) -> Loss {
        let mut seen = self.shared.pulse.seen.subscribe();
        let mut next = Moment::now() + self.ttl / 3;
        let mut is_started = false;
        let mut restarts = 0;
        loop {
            let renewal = async {
                sleep_until(next).await;
                let asked = Moment::now();
                (asked, self.ask(&won.node).await)
            };
            let ended = async {
                match running.as_mut() {
                    Some(running) => running.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = sleep_until(won.lease.stop_at()) => return Loss::LeaseEnding,
                () = until(stopped.clone()) => return Loss::Leaving,
                drained = draining(&mut seen) => if drained { return Loss::Leaving },
                () = sleep_until(won.alone_from), if !is_started => {
                    is_started = true;
                    match self.hooks.start(within, &won.lease) {
                        Ok(started) => *running = started,
                        Err(error) => {
                            tracing::error!(%error, "the command of --on-elected cannot be started");
                            return Loss::CommandFailed;
                        }
                    }
                }
                end = ended => {
                    // Nothing of it runs any more.
                    *running = None;
                    let is_done = is_good(&end);
                    if matches!(end, End::Unguarded) && restarts < RESTARTS {
                        restarts += 1;
                        *running = self.start_again(within, &won.lease);
                    }
                    if !is_done && running.is_none() {
                        return Loss::CommandFailed;
                    }
                }
                (asked, answer) = renewal => match answer {
                    Ok(answer) if answer.is_leader && answer.term == won.term => {
                        won.lease.renew(asked);
                        if let Some(running) = running.as_mut() {
                            running.allow(&won.lease);
                        }
                        next = asked + self.ttl / 3;
                    }
                    // Whoever leads again has not led all the time.
                    Ok(_) => return Loss::Taken,
                    Err(error) if is_final(&error) => {
                        put_off(&error, "the leadership is not renewed");
                        return Loss::Taken;
                    }
                    Err(error) => {
                        put_off(&error, "the leadership is not renewed yet");
                        next = Moment::now() + (self.ttl / 20).max(PAUSE_MIN);
                    }
                },
            }
        }
    }

    /// Starts the command under new guards. The leadership is ours as before.
    fn start_again(&self, within: &Surroundings<'_>, lease: &Lease) -> Option<Running> {
        match self.hooks.start(within, lease) {
            Ok(running) => running,
            Err(error) => {
                tracing::error!(%error, "the command of --on-elected cannot be started again");
                None
            }
        }
    }

    async fn resign(&self, won: &Won) {
        let resigned = api::resign(&self.shared.hub, &won.node.id, won.term);
        match timeout(RESIGN_LIMIT, resigned).await {
            Ok(Ok(())) => tracing::info!(term = won.term, "resigned"),
            // The lease runs out by itself.
            Ok(Err(error)) => tracing::warn!(%error, "cannot resign"),
            Err(_) => tracing::warn!("cannot resign in time"),
        }
    }
}

/// Whether the hub says that this registration of the node does not lead any more.
fn is_final(error: &Error) -> bool {
    [Code::Fenced, Code::NotFound, Code::Forbidden].into_iter().any(|code| api::is(error, code))
}

/// Whether a command that has ended leaves nothing to be done. Says in the log how it ended.
fn is_good(end: &End) -> bool {
    match end {
        End::Exited(status) if status.success() => {
            tracing::info!("the command of --on-elected is done");
            return true;
        }
        End::Exited(status) => tracing::error!("the command of --on-elected failed: {status}"),
        End::NotStarted(why) => {
            tracing::error!("the command of --on-elected cannot be started: {why}");
        }
        End::Unguarded => {
            tracing::warn!("the guard of --on-elected was killed, and the command with it");
        }
    }
    false
}

/// Waits for the next word about maintenance, and says what it is.
async fn draining(seen: &mut watch::Receiver<Seen>) -> bool {
    match seen.wait_for(|seen| seen.drain).await {
        Ok(_) => true,
        Err(_) => std::future::pending().await,
    }
}
