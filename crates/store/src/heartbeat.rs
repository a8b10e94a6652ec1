//! Calls on liveness: `lua/heartbeat/`.

use reef_api::heartbeat::{LostClaim, RenewedClaim};
use reef_api::node::NodeStatus;
use reef_api::{NodeId, Open};
use reef_domain::heartbeat::Heartbeat;
use reef_domain::time::UnixMillis;

use crate::node::Writer;
use crate::port::Redis;
use crate::script::{
    Answered, Argument, Arguments, FromReply, Malformed, Once, Reader, Store, StoreError, rows,
    unknown_status,
};
use crate::task::ClaimState;

include!(concat!(env!("OUT_DIR"), "/calls_heartbeat.rs"));

/// What became of heartbeats.
#[derive(Debug)]
pub struct Beats {
    pub now: UnixMillis,
    /// Any number, for jitter.
    pub jitter: i64,
    /// Nodes in the cluster.
    pub nodes: i64,
    pub leader: Option<NodeId>,
    /// The leadership's term.
    pub term: i64,
    /// One for each heartbeat, in order.
    pub outcomes: Vec<BeatOutcome>,
}

/// What became of one heartbeat.
#[derive(Debug)]
pub enum BeatOutcome {
    /// Taken.
    Ok {
        /// The node's status now.
        status: Open<NodeStatus>,
        /// Messages in its inbox; may lag.
        inbox: i64,
        /// One for each claim that was listed, in order.
        claims: Vec<ClaimState>,
        /// With `renew_all`: what it holds.
        held: Vec<RenewedClaim>,
        /// With `renew_all`: what it has lost since the last one.
        lost: Vec<LostClaim>,
    },
    /// There is no such node.
    NotFound,
    /// The node has registered again since.
    Fenced,
    /// The node belongs to somebody else.
    Forbidden,
}

impl Argument for &[(&NodeId, &Heartbeat)] {
    fn append(&self, arguments: &mut Arguments) {
        for (node_id, heartbeat) in *self {
            arguments
                .text(node_id.as_str())
                .number(heartbeat.cpu_usage)
                .number(heartbeat.memory_usage)
                .number(heartbeat.disk_usage)
                .number(heartbeat.running_tasks)
                .optional(heartbeat.status)
                .optional(heartbeat.incarnation)
                .optional(heartbeat.quiet_ms)
                .number(u8::from(heartbeat.renew_all))
                .number(heartbeat.claims.len());
            for claim in &heartbeat.claims {
                arguments.text(claim.task_id.as_str()).text(claim.token.as_str());
            }
        }
    }
}

impl Beats {
    fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let mut beats = Self {
            now: UnixMillis(reply.int()?),
            jitter: reply.int()?,
            nodes: reply.int()?,
            leader: FromReply::read(reply)?,
            term: reply.int()?,
            outcomes: Vec::new(),
        };
        while !reply.is_at_end() {
            let outcome = reply.text()?;
            let (status, inbox) = (FromReply::read(reply)?, reply.int()?);
            let claims = reply.int()?;
            let claims = (0..claims).map(|_| ClaimState::read(reply)).collect::<Result<_, _>>()?;
            let (mut held, mut lost) = (Vec::new(), Vec::new());
            for _ in 0..reply.int()? {
                let (task_id, state) = (FromReply::read(reply)?, reply.text()?);
                let lease_expires_in_ms = reply.int()?;
                if state == "renewed" {
                    held.push(RenewedClaim { task_id, lease_expires_in_ms });
                } else {
                    lost.push(LostClaim { task_id, reason: Open::read(state) });
                }
            }
            beats.outcomes.push(match outcome.as_str() {
                "ok" => BeatOutcome::Ok { status, inbox, claims, held, lost },
                "not_found" => BeatOutcome::NotFound,
                "fenced" => BeatOutcome::Fenced,
                "forbidden" => BeatOutcome::Forbidden,
                other => return unknown_status(other),
            });
        }
        Ok(beats)
    }
}

/// A node that was marked offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    pub node_id: NodeId,
    /// Its hostname.
    pub hostname: String,
    /// When it was last heard of.
    pub last_heartbeat: UnixMillis,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Checked {
    pub now: UnixMillis,
    /// Nodes that were marked offline.
    pub expired: Vec<Expired>,
    /// Why nobody was, though there was reason to.
    pub suspended: Option<Suspension>,
    /// There is more to do.
    more: bool,
}

/// Nobody is marked offline, though there was reason to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspension {
    /// Nodes that would have expired.
    pub silent: i64,
    /// Of so many live ones.
    pub live: i64,
    /// Why they have not.
    pub cause: Cause,
}

/// Why nobody is marked offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The mass expiry guard holds.
    Mass,
    /// Redis or the hub was away until a moment ago.
    Absence,
}

impl Suspension {
    /// Reads what scripts say about it: 0 for none, 1 for the guard, 2 for an absence.
    pub(crate) fn read(
        reply: &mut Reader,
        silent: i64,
        live: i64,
    ) -> Result<Option<Self>, Malformed> {
        let cause = match reply.int()? {
            0 => return Ok(None),
            1 => Cause::Mass,
            2 => Cause::Absence,
            other => return Err(Malformed(format!("{other} is no cause of a suspension"))),
        };
        Ok(Some(Self { silent, live, cause }))
    }
}

impl std::fmt::Display for Suspension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { silent, live, cause } = self;
        match cause {
            Cause::Mass => write!(
                f,
                "{silent} of {live} live nodes would expire at once, which looks like a fault of \
                 the network or of the hub: nobody is marked offline until a check at least one \
                 heartbeat period later finds the same"
            ),
            Cause::Absence => write!(
                f,
                "{silent} of {live} live nodes are silent, but Redis or the hub was away until a \
                 moment ago: nobody is marked offline before half a timeout has passed"
            ),
        }
    }
}

impl FromReply for Checked {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (now, more) = (UnixMillis(reply.int()?), reply.flag()?);
        let (live, silent) = (reply.int()?, reply.int()?);
        let suspended = Suspension::read(reply, silent, live)?;
        Ok(Self { now, expired: FromReply::read(reply)?, suspended, more })
    }
}

/// Marks all silent nodes offline, in steps of at most 100. Safe to cut anywhere: each step
/// stands by itself.
///
/// # Errors
/// [`StoreError`].
pub async fn check_all<R: Redis>(
    store: &Store<R>,
    check: &Check,
    once: Option<&Once>,
) -> Result<Answered<Checked>, StoreError> {
    let mut all = store.call_once(check, once.map(|once| once.part(0)).as_ref()).await?;
    let mut step = 1;
    while all.value.more {
        let part = once.map(|once| once.part(step));
        let next = store.call_once(check, part.as_ref()).await?.value;
        all.value.expired.extend(next.expired);
        all.value.suspended = next.suspended;
        all.value.more = next.more;
        step += 1;
    }
    Ok(all)
}

/// Where a sweep goes on.
#[derive(Debug)]
pub struct Swept {
    cursor: String,
    position: Option<i64>,
    adopted: i64,
}

/// Adopts bots that announce themselves in the old registry, and takes the `hb:` keys of old
/// clients as heartbeats. Returns how many were adopted.
///
/// # Errors
/// [`StoreError`].
pub async fn sweep_all<R: Redis>(store: &Store<R>) -> Result<i64, StoreError> {
    let mut all = Swept { cursor: "0".to_owned(), position: Some(0), adopted: 0 };
    while !all.cursor.is_empty() || all.position.is_some() {
        let sweep = Sweep { cursor: &all.cursor, position: all.position };
        let swept = store.call(&sweep).await?;
        all = Swept { adopted: all.adopted + swept.adopted, ..swept };
    }
    Ok(all.adopted)
}

rows! {
    Expired { node_id, hostname, last_heartbeat }
    Swept { cursor, position, adopted }
}
