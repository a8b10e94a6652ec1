//! An agent that calls is alive: each call renews all that it holds, and says for how long it may be
//! silent now, and what it has lost meanwhile.

use reef_api::heartbeat::{HeartbeatAnswer, HeartbeatBody, LostClaim, RenewedClaim};
use serde_json::{Map, Value, json};

use crate::tools::LEASE_MS;
use crate::{Hub, Problem, Request};

/// An agent that calls may be silent for so long, or for as long as its longest lease: it says nothing
/// while its model thinks.
const QUIET_MS: i64 = LEASE_MS.cast_signed();

/// What the hub says of an agent that has called.
#[derive(Debug)]
pub(crate) struct Renewal {
    answer: HeartbeatAnswer<'static>,
    /// What it has lost, in this renewal and those before it in the same call.
    lost: Vec<LostClaim>,
}

impl Renewal {
    /// Says that an agent lives.
    ///
    /// # Errors
    /// The hub's problem: 404 if the agent has not checked in.
    pub(crate) async fn send(hub: &impl Hub, agent: &str) -> Result<Self, Problem> {
        let body = HeartbeatBody {
            renew_all: Some(true),
            quiet_ms: Some(QUIET_MS),
            ..HeartbeatBody::default()
        };
        let path = ["nodes", agent, "heartbeat"];
        let mut answer: HeartbeatAnswer<'_> = hub.call(Request::post(path, &body)).await.read()?;
        let lost = answer.lost_claims.take().unwrap_or_default();
        Ok(Self { answer, lost })
    }

    fn claims(&self) -> &[RenewedClaim] {
        self.answer.claims.as_deref().unwrap_or_default()
    }

    /// What an earlier renewal of the same call has found, added to this one.
    pub(crate) fn after(mut self, earlier: Option<Self>) -> Self {
        if let Some(earlier) = earlier {
            self.lost.splice(0..0, earlier.lost);
        }
        self
    }

    /// For how long the claim of a task holds, in milliseconds.
    pub(crate) fn lease_of(&self, task_id: &str) -> Option<i64> {
        let claim = self.claims().iter().find(|claim| claim.task_id.as_str() == task_id)?;
        Some(claim.lease_expires_in_ms)
    }

    /// What the agent should know, and no more than that.
    pub(crate) fn shown(&self, agent: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut say = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
        say("agent_id", agent.into());
        if !self.claims().is_empty() {
            say("claims", json!(self.claims()));
        }
        if !self.lost.is_empty() {
            say("lost_claims", json!(self.lost));
        }
        if !self.answer.cancelled.is_empty() {
            say("cancelled", json!(self.answer.cancelled));
        }
        if self.answer.inbox > 0 {
            say("unread", self.answer.inbox.into());
        }
        if self.answer.drain {
            say("drain", true.into());
        }
        if let Some(leader) = &self.answer.leader {
            say("leader", leader.as_str().into());
        }
        shown
    }
}
