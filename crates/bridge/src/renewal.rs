//! An agent that calls is alive: each call renews all that it holds, and says for how long it may be
//! silent now, and what it has lost meanwhile.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::tools::LEASE_MS;
use crate::{Hub, Problem, Request};

/// An agent that calls may be silent for so long, or for as long as its longest lease: it says nothing
/// while its model thinks.
const QUIET_MS: u64 = LEASE_MS;

/// `POST /nodes/{id}/heartbeat` with `renew_all`, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Renewal {
    #[serde(deserialize_with = "or_default")]
    claims: Vec<Value>,
    #[serde(deserialize_with = "or_default")]
    lost_claims: Vec<Value>,
    cancelled: Vec<String>,
    inbox: u64,
    drain: bool,
    leader: Option<String>,
}

/// `null` is "nothing of it".
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Renewal {
    /// Says that an agent lives.
    ///
    /// # Errors
    /// The hub's problem: 404 if the agent has not checked in.
    pub(crate) async fn send(hub: &impl Hub, agent: &str) -> Result<Self, Problem> {
        let mut renewal = Self::send_quietly(hub, agent, QUIET_MS).await?;
        let longest =
            renewal.claims.iter().filter_map(|it| it["lease_expires_in_ms"].as_u64()).max();
        if let Some(longest) = longest.filter(|longest| *longest > QUIET_MS) {
            renewal = Self::send_quietly(hub, agent, longest).await?.after(Some(renewal));
        }
        Ok(renewal)
    }

    async fn send_quietly(hub: &impl Hub, agent: &str, quiet_ms: u64) -> Result<Self, Problem> {
        let body = json!({"renew_all": true, "quiet_ms": quiet_ms});
        hub.call(Request::post(["nodes", agent, "heartbeat"], &body)).await.read()
    }

    /// What an earlier renewal of the same call has found, added to this one.
    pub(crate) fn after(mut self, earlier: Option<Self>) -> Self {
        if let Some(earlier) = earlier {
            self.lost_claims.splice(0..0, earlier.lost_claims);
        }
        self
    }

    /// For how long the claim of a task holds, in milliseconds.
    pub(crate) fn lease_of(&self, task_id: &str) -> Option<&Value> {
        let claim = self.claims.iter().find(|claim| claim["task_id"] == task_id)?;
        claim.get("lease_expires_in_ms")
    }

    /// What the agent should know, and no more than that.
    pub(crate) fn shown(&self, agent: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut say = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
        say("agent_id", agent.into());
        if !self.claims.is_empty() {
            say("claims", json!(self.claims));
        }
        if !self.lost_claims.is_empty() {
            say("lost_claims", json!(self.lost_claims));
        }
        if !self.cancelled.is_empty() {
            say("cancelled", json!(self.cancelled));
        }
        if self.inbox > 0 {
            say("unread", self.inbox.into());
        }
        if self.drain {
            say("drain", true.into());
        }
        if let Some(leader) = &self.leader {
            say("leader", leader.as_str().into());
        }
        shown
    }
}
