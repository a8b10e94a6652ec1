//! Leadership: one node leads, under a term that fences all earlier leaders.

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::lax;
use crate::time::UnixMillis;

/// The leadership as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Leadership {
    /// Who leads.
    pub leader: Option<NodeId>,
    /// Grows with every change of holder: the fencing token.
    pub term: i64,
    /// How long the lease still runs, in milliseconds.
    pub ttl_ms: i64,
}

/// `POST /cluster/leader/campaign` (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CampaignBody {
    /// Who wants to lead.
    pub node_id: Option<NodeId>,
    /// How long the lease is, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub ttl_ms: Option<i64>,
    /// As registration answered it; a node that registered again since fences this one.
    #[serde(default, deserialize_with = "lax::int")]
    pub incarnation: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CampaignAnswer {
    pub is_leader: bool,
    pub leader: Option<NodeId>,
    pub term: i64,
    pub ttl_ms: i64,
    /// For how long a leader that lost its lease early may not know of it; left out where there is
    /// none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub former_ttl_ms: i64,
}

impl CampaignAnswer {
    /// The leadership as it stands.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        let Self { leader, term, ttl_ms, .. } = self;
        Leadership { leader: leader.clone(), term: *term, ttl_ms: *ttl_ms }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// `POST /cluster/leader/resign` (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ResignBody {
    /// Who leads.
    pub node_id: Option<NodeId>,
    /// Under which term.
    #[serde(default, deserialize_with = "lax::int")]
    pub term: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ResignAnswer {
    pub success: bool,
    /// Nobody, until somebody campaigns.
    pub leader: Option<NodeId>,
    pub term: i64,
}

/// Something that happened to the leadership (`contract.md` §3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LeaderHistoryEntry {
    pub timestamp: UnixMillis,
    pub node_id: NodeId,
    // `elected renewed-late lost resigned`, or a word of an older system.
    pub event: String,
    pub term: Option<i64>,
    pub is_leader: Option<bool>,
    /// Why it lost its lease before that had run out; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
