//! Calls on liveness: `lua/heartbeat/`.

use reef_domain::heartbeat::{Heartbeat, Timeout};
use reef_domain::limits::{EXPIRE_NODES_MAX, SWEEP_BATCH};
use reef_domain::time::UnixMillis;

use crate::node::Writer;
use crate::port::Redis;
use crate::script::{
    Answered, Arguments, Call, FromReply, HEARTBEAT_BEAT, HEARTBEAT_CHECK, HEARTBEAT_SWEEP,
    Malformed, Once, Reader, Script, Store, StoreError, unknown_status,
};
use crate::task::ClaimState;

/// Takes heartbeats: one from a node, or some of a batch.
#[derive(Debug)]
pub struct Beat<'a> {
    /// Node and heartbeat, in pairs.
    pub heartbeats: &'a [(&'a str, &'a Heartbeat)],
    /// Who sends them.
    pub writer: Writer<'a>,
    /// How long an `hb:` key lives, in milliseconds.
    pub key_ttl_ms: i64,
}

/// What became of heartbeats.
#[derive(Debug)]
pub struct Beats {
    /// When.
    pub now: UnixMillis,
    /// Any number, for jitter.
    pub jitter: i64,
    /// Nodes in the cluster.
    pub nodes: i64,
    /// Who leads.
    pub leader: Option<String>,
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
        status: String,
        /// Messages in its inbox; may lag.
        inbox: i64,
        /// One for each claim that was listed, in order.
        claims: Vec<ClaimState>,
    },
    /// There is no such node.
    NotFound,
    /// The node has registered again since.
    Fenced,
    /// The node belongs to somebody else.
    Forbidden,
}

impl Call for Beat<'_> {
    type Reply = Beats;

    fn script(&self) -> &'static Script {
        &HEARTBEAT_BEAT
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.writer.as_argument()).number(self.key_ttl_ms);
        for (node_id, heartbeat) in self.heartbeats {
            arguments
                .text(*node_id)
                .number(heartbeat.cpu_usage)
                .number(heartbeat.memory_usage)
                .number(heartbeat.disk_usage)
                .number(heartbeat.running_tasks)
                .optional(heartbeat.status.map(|status| status.as_str()))
                .optional(heartbeat.incarnation)
                .number(heartbeat.claims.len());
            for claim in &heartbeat.claims {
                arguments.text(&claim.task_id).text(&claim.token);
            }
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Beats, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let mut beats = Beats {
            now: UnixMillis(reply.int()?),
            jitter: reply.int()?,
            nodes: reply.int()?,
            leader: Some(reply.text()?).filter(|leader| !leader.is_empty()),
            term: reply.int()?,
            outcomes: Vec::with_capacity(self.heartbeats.len()),
        };
        while !reply.is_at_end() {
            let outcome = reply.text()?;
            let (status, inbox) = (reply.text()?, reply.int()?);
            let claims = reply.int()?;
            let claims = (0..claims).map(|_| ClaimState::read(reply)).collect::<Result<_, _>>()?;
            beats.outcomes.push(match outcome.as_str() {
                "ok" => BeatOutcome::Ok { status, inbox, claims },
                "not_found" => BeatOutcome::NotFound,
                "fenced" => BeatOutcome::Fenced,
                "forbidden" => BeatOutcome::Forbidden,
                other => return unknown_status(other),
            });
        }
        Ok(beats)
    }
}

/// Marks silent nodes offline, at most 100. [`check_all`] repeats it until none is left.
#[derive(Debug)]
pub struct Check {
    /// After how long a node is silent.
    pub timeout: Timeout,
    /// The longest heartbeat period that nodes are asked for, in milliseconds: how long the mass
    /// expiry guard waits for confirmation.
    pub period_ms: i64,
    /// How often the caller comes, in milliseconds, if it comes regularly.
    pub tick_ms: Option<i64>,
    /// The timeout was asked for. One that is the caller's setting gives way to a longer one of
    /// another host at work.
    pub is_asked_for: bool,
}

/// A node that was marked offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Which.
    pub node_id: String,
    /// Its hostname.
    pub hostname: String,
    /// When it was last heard of.
    pub last_heartbeat: UnixMillis,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// When.
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

impl Call for Check {
    type Reply = Checked;

    fn script(&self) -> &'static Script {
        &HEARTBEAT_CHECK
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .number(self.timeout.as_millis())
            .number(self.period_ms)
            .optional(self.tick_ms)
            .number(EXPIRE_NODES_MAX)
            .number(i32::from(self.is_asked_for));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Checked, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let now = UnixMillis(reply.int()?);
        let more = reply.flag()?;
        let (live, silent) = (reply.int()?, reply.int()?);
        let suspended = Suspension::read(reply, silent, live)?;
        let mut expired = Vec::new();
        while !reply.is_at_end() {
            expired.push(Expired {
                node_id: reply.text()?,
                hostname: reply.text()?,
                last_heartbeat: UnixMillis(reply.int()?),
            });
        }
        Ok(Checked { now, expired, suspended, more })
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

/// One step of the search for bots that know only Redis. [`sweep_all`] goes through to the end.
#[derive(Debug)]
pub struct Sweep {
    /// Where to go on in the registry; empty when that half is done.
    pub cursor: String,
    /// Where to go on among the legacy nodes; `None` when that half is done.
    pub position: Option<i64>,
}

/// Where a sweep goes on.
#[derive(Debug)]
pub struct Swept {
    next: Sweep,
    adopted: i64,
}

impl Call for Sweep {
    type Reply = Swept;

    fn script(&self) -> &'static Script {
        &HEARTBEAT_SWEEP
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.cursor).optional(self.position).number(SWEEP_BATCH);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Swept, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let cursor = reply.text()?;
        let position = reply.text()?.parse().ok();
        Ok(Swept { next: Sweep { cursor, position }, adopted: reply.int()? })
    }
}

/// Adopts bots that announce themselves in the old registry, and takes the `hb:` keys of old
/// clients as heartbeats. Returns how many were adopted.
///
/// # Errors
/// [`StoreError`].
pub async fn sweep_all<R: Redis>(store: &Store<R>) -> Result<i64, StoreError> {
    let mut sweep = Sweep { cursor: "0".to_owned(), position: Some(0) };
    let mut adopted = 0;
    while !sweep.cursor.is_empty() || sweep.position.is_some() {
        let swept = store.call(&sweep).await?;
        adopted += swept.adopted;
        sweep = swept.next;
    }
    Ok(adopted)
}
